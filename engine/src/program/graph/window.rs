//! The window that a convolution or a pooling moves over one or two axes, as our kernels take it.

use tract_onnx::tract_core::ops::cnn::PoolSpec;
use tract_onnx::tract_core::ops::nn::DataFormat;

use crate::kernels::window::Window;

/// The window over `[rows, channels, ...]`; `None` for other layouts and numbers of axes.
pub fn window(spec: &PoolSpec, dims: &[usize]) -> Option<Window> {
    let spatial = dims.get(2..)?;
    let axes = spatial.len();
    if spec.data_format != DataFormat::NCHW || !(1..=2).contains(&axes) {
        return None;
    }
    let padding = spec.computed_padding(spatial);
    let pair = |of: &dyn Fn(usize) -> usize, missing: usize| match axes {
        1 => [missing, of(0)],
        _ => [of(0), of(1)],
    };
    Some(Window {
        input: pair(&|axis| spatial[axis], 1),
        kernel: pair(&|axis| spec.kernel_shape[axis], 1),
        strides: pair(&|axis| spec.stride(axis), 1),
        dilations: pair(&|axis| spec.dilation(axis), 1),
        before: pair(&|axis| padding[axis].pad_before, 0),
        output: pair(&|axis| padding[axis].convoluted, 1),
    })
}
