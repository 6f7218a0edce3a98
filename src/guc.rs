//! Every finai.* setting. A leaf: knows no other module but the engine's limits.

use finai_engine::Limits;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

const KIB: usize = 1024;

static MAX_MODEL_SIZE: GucSetting<i32> = GucSetting::<i32>::new(16 * 1024);
static MAX_DECODE_MEMORY: GucSetting<i32> = GucSetting::<i32>::new(256 * 1024);
static MAX_TENSOR_MEMORY: GucSetting<i32> = GucSetting::<i32>::new(64 * 1024);
static CACHE_MEMORY: GucSetting<i32> = GucSetting::<i32>::new(64 * 1024);

/// Defines the settings and reserves the prefix, so that a misspelt one is an error.
pub fn init() {
    let kib = GucFlags::UNIT_KB;
    GucRegistry::define_int_guc(
        c"finai.max_model_size",
        c"Largest ONNX file that can be registered or inspected.",
        c"",
        &MAX_MODEL_SIZE,
        64,
        128 * 1024,
        GucContext::Suset,
        kib,
    );
    GucRegistry::define_int_guc(
        c"finai.max_decode_memory",
        c"Memory that decoding one ONNX file may take.",
        c"A file that would need more is refused before it is decoded.",
        &MAX_DECODE_MEMORY,
        1024,
        2 * 1024 * 1024,
        GucContext::Suset,
        kib,
    );
    GucRegistry::define_int_guc(
        c"finai.max_tensor_memory",
        c"Memory that all tensors of one evaluation may take.",
        c"",
        &MAX_TENSOR_MEMORY,
        1024,
        2 * 1024 * 1024,
        GucContext::Suset,
        kib,
    );
    GucRegistry::define_int_guc(
        c"finai.cache_memory",
        c"Memory that compiled models of one backend may take.",
        c"The least recently used model is dropped first; the one in use always stays.",
        &CACHE_MEMORY,
        0,
        8 * 1024 * 1024,
        GucContext::Suset,
        kib,
    );
    // SAFETY: called once per process with a NUL-terminated name, after the settings of that prefix are defined.
    unsafe {
        #[cfg(any(feature = "pg13", feature = "pg14"))]
        pgrx::pg_sys::EmitWarningsOnPlaceholders(c"finai".as_ptr());
        #[cfg(not(any(feature = "pg13", feature = "pg14")))]
        pgrx::pg_sys::MarkGUCPrefixReserved(c"finai".as_ptr());
    }
}

/// What a model may cost under the current settings.
pub fn limits() -> Limits {
    Limits {
        model_size: bytes(&MAX_MODEL_SIZE),
        decode_memory: bytes(&MAX_DECODE_MEMORY),
        tensor_memory: bytes(&MAX_TENSOR_MEMORY),
        ..Limits::default()
    }
}

/// What a model that was registered already may cost: its size was judged then, under the settings of then.
pub fn registered_limits() -> Limits {
    Limits {
        model_size: 128 * KIB * KIB,
        decode_memory: 2 * KIB * KIB * KIB,
        tensor_memory: bytes(&MAX_TENSOR_MEMORY),
        ..Limits::default()
    }
}

/// Bytes that compiled models of this backend may take.
pub fn cache_memory() -> usize {
    bytes(&CACHE_MEMORY)
}

fn bytes(setting: &GucSetting<i32>) -> usize {
    usize::try_from(setting.get()).unwrap_or(0) * KIB
}
