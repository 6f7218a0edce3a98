//! Files that ask the decoder for gigabytes are refused at once and cost nothing, and the bound on decoding holds.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use finai_engine::admit::admit;
use finai_engine::{Error, Limits};
use prost::Message;

mod hostile;
use hostile::{SEEDS, field, floats, int64s, integers, node, relu, with, with_nodes};

const AT_ONCE: Duration = Duration::from_millis(100);

/// Counts the bytes that each thread holds, and the most it ever held.
struct Counting;

thread_local! {
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn account(bytes: isize) {
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: every call is passed on unchanged to the system allocator, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        account(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        account(-(layout.size() as isize));
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs and returns the most bytes held meanwhile.
fn peak<T>(run: impl FnOnce() -> T) -> (T, isize) {
    let before = HELD.get().0;
    HELD.set((before, before));
    let result = run();
    (result, HELD.get().1 - before)
}

fn is_refused_for_free(bytes: &[u8], what: &'static str, within: Duration) {
    let start = Instant::now();
    let (refused, held) = peak(|| admit(bytes, &Limits::default()));
    let elapsed = start.elapsed();
    assert!(
        matches!(refused, Err(Error::TooLarge { what: found, .. }) if found == what),
        "{refused:?}"
    );
    assert!(held < 4_096, "{held} bytes held");
    assert!(elapsed < within, "{elapsed:?}");
}

fn of_16_mb(payload: &[u8]) -> Vec<u8> {
    payload.repeat(((16 << 20) - 64) / payload.len())
}

#[test]
fn eight_million_empty_attributes() {
    is_refused_for_free(
        &field(7, &field(1, &of_16_mb(&[0x2a, 0]))),
        "attributes",
        AT_ONCE,
    );
}

#[test]
fn eight_million_empty_nodes() {
    is_refused_for_free(&field(7, &of_16_mb(&[0x0a, 0])), "nodes", AT_ONCE);
}

#[test]
fn eight_million_empty_initializers() {
    is_refused_for_free(&field(7, &of_16_mb(&[0x2a, 0])), "initializers", AT_ONCE);
}

/// These are walked to the limit on memory, which takes an unoptimised build longer.
#[test]
fn millions_of_what_has_no_count_of_its_own() {
    let inputs = field(7, &of_16_mb(&[0x5a, 0]));
    let descriptions = field(7, &of_16_mb(&[0x6a, 0]));
    let entries = of_16_mb(&[0x72, 0]);
    let sets = of_16_mb(&[0x42, 0]);
    let names = field(7, &field(1, &of_16_mb(&[0x0a, 0])));
    let strings = field(7, &field(1, &field(5, &of_16_mb(&[0x4a, 0]))));
    let integers = field(7, &field(1, &field(5, &field(8, &of_16_mb(&[0])))));
    let tensors = field(7, &field(1, &field(5, &of_16_mb(&[0x52, 0]))));
    let types = field(7, &field(1, &field(5, &of_16_mb(&[0x7a, 0]))));
    for bytes in [
        inputs,
        descriptions,
        entries,
        sets,
        names,
        strings,
        integers,
        tensors,
        types,
    ] {
        is_refused_for_free(&bytes, "bytes when decoded", Duration::from_secs(5));
    }
}

#[test]
fn a_file_above_the_limit() {
    is_refused_for_free(&vec![0; (16 << 20) + 1], "bytes", AT_ONCE);
}

#[test]
fn unknown_fields_cost_nothing() {
    let mut bytes = relu().encode_to_vec();
    bytes.extend(field(99, &vec![b'x'; 15 << 20]));
    let (admitted, held) = peak(|| admit(&bytes, &Limits::default()));
    assert!(admitted.is_ok(), "{admitted:?}");
    assert!(held < 64 << 10, "{held} bytes held");
}

/// The sum that the pre-scan compares with its limit is never below what the decoder then holds.
#[test]
fn decoding_stays_within_the_bound() {
    let wide = with(|graph| {
        graph.initializer = (0..500)
            .map(|i| floats(&format!("w{i}"), &[1], vec![0.5]))
            .collect()
    });
    let packed = with(|graph| {
        graph
            .initializer
            .push(int64s("i", &[100_001], vec![1; 100_001]))
    });
    let deep = with_nodes(
        (0..1_000)
            .map(|i| node("Relu", &[&*format!("y{i}")], &[&*format!("y{}", i + 1)]))
            .collect(),
    );
    let lists = with(|graph| {
        graph.node[0].attribute = (0..200)
            .map(|i| integers(&format!("a{i}"), &[1; 33]))
            .collect()
    });
    let models = SEEDS
        .iter()
        .map(|(_, bytes)| bytes.to_vec())
        .chain([wide, packed, deep, lists]);
    for bytes in models {
        let (_, held) = peak(|| tract_onnx::pb::ModelProto::decode(&*bytes));
        let limits = Limits {
            decode_memory: held as usize - 1,
            ..Limits::default()
        };
        let refused = admit(&bytes, &limits);
        let expected = matches!(
            refused,
            Err(Error::TooLarge {
                what: "bytes when decoded",
                ..
            })
        );
        assert!(expected, "{held} bytes held by the decoder, {refused:?}");
    }
}
