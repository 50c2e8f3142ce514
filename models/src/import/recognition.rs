//! `face_recognition`: dlib's ResNet-29 for metric learning. `[N, 3, 150, 150]` to `[N, 128]`.

use super::ImportError;
use super::weights::Weights;
use crate::onnx::{GraphBuilder, Size, Tensor, Value, Window};

/// Side of the chip in pixels.
pub(super) const SIZE: u32 = 150;
/// Numbers per descriptor.
pub(super) const DIMENSION: u32 = 128;

/// A residual block: its name, its channels, and how it changes the image.
struct Block {
    name: &'static str,
    channels_in: usize,
    channels: usize,
    shape: Shape,
}

enum Shape {
    /// Side and channels stay.
    Same,
    /// The side is halved. A stride-2 3x3 convolution without padding can come out one row and column short of
    /// the 2x2 average pool beside it; `short` rows and columns of zeros make up for that.
    Down { short: i64 },
}

const fn same(name: &'static str, channels: usize) -> Block {
    Block { name, channels_in: channels, channels, shape: Shape::Same }
}

const fn down(name: &'static str, channels_in: usize, channels: usize, short: i64) -> Block {
    Block { name, channels_in, channels, shape: Shape::Down { short } }
}

/// Sides: 35 through the first three, then 17, 8, 4 (3 and a zero), 2 (1 and a zero).
const BLOCKS: [Block; 14] = [
    same("conv32_1", 32),
    same("conv32_2", 32),
    same("conv32_3", 32),
    down("conv64_down", 32, 64, 0),
    same("conv64_1", 64),
    same("conv64_2", 64),
    same("conv64_3", 64),
    down("conv128_down", 64, 128, 0),
    same("conv128_1", 128),
    same("conv128_2", 128),
    down("conv256_down", 128, 256, 1),
    same("conv256_1", 256),
    same("conv256_2", 256),
    down("conv256_down_out", 256, 256, 1),
];

/// The ONNX file.
pub(super) fn build(mut weights: Weights) -> Result<Vec<u8>, ImportError> {
    let side = Size::Fixed(i64::from(SIZE));
    let batch = Size::Named("batch");
    let (mut graph, mut x) =
        GraphBuilder::new("face_recognition", "chip", &[batch, Size::Fixed(3), side, side]);
    x = scaled_conv(&mut graph, &mut weights, &x, "conv32_down", 7, [3, 32], Window::valid(2))?;
    x = graph.relu(&x);
    x = graph.max_pool(&x, 3, Window::valid(2));
    for block in &BLOCKS {
        x = residual(&mut graph, &mut weights, &x, block)?;
    }
    let means = graph.channel_means(&x);
    let matrix = weights.take("fc", &[256, 128])?;
    let descriptor = graph.fully_connected(&means, &matrix, None);
    weights.finish()?;
    Ok(graph.finish(&descriptor, "descriptor", &[batch, Size::Fixed(i64::from(DIMENSION))]))
}

fn residual(
    graph: &mut GraphBuilder,
    weights: &mut Weights,
    x: &Value,
    block: &Block,
) -> Result<Value, ImportError> {
    let window = match block.shape {
        Shape::Same => Window::same_3x3(1),
        Shape::Down { .. } => Window::valid(2),
    };
    let name = |conv: usize| format!("{}/conv{conv}", block.name);
    let mut main = scaled_conv(graph, weights, x, &name(1), 3, [block.channels_in, block.channels], window)?;
    main = graph.relu(&main);
    main = scaled_conv(
        graph,
        weights,
        &main,
        &name(2),
        3,
        [block.channels, block.channels],
        Window::same_3x3(1),
    )?;
    let shortcut = match block.shape {
        Shape::Same => x.clone(),
        Shape::Down { short } => {
            if short > 0 {
                main = graph.pad(&main, 0, short, short);
            }
            let pooled = graph.average_pool(x, 2, Window::valid(2));
            match i64::try_from(block.channels - block.channels_in) {
                Ok(more) if more > 0 => graph.pad(&pooled, more, 0, 0),
                _ => pooled,
            }
        }
    };
    let sum = graph.add(&shortcut, &main);
    Ok(graph.relu(&sum))
}

/// A convolution whose result is multiplied and shifted channel by channel: folded into its filters and bias,
/// in 64 bits and rounded once.
fn scaled_conv(
    graph: &mut GraphBuilder,
    weights: &mut Weights,
    x: &Value,
    name: &str,
    side: usize,
    [channels_in, channels_out]: [usize; 2],
    window: Window,
) -> Result<Value, ImportError> {
    let filters = weights.filters(&format!("{name}/conv/filters"), side, channels_in, channels_out)?;
    let bias = weights.take(&format!("{name}/conv/bias"), &[channels_out])?;
    let scale = weights.take(&format!("{name}/scale/weights"), &[channels_out])?;
    let shift = weights.take(&format!("{name}/scale/biases"), &[channels_out])?;
    let (filters, bias) = fold(&filters, &bias, &scale, &shift).ok_or_else(|| ImportError::Weight {
        name: name.to_owned(),
        problem: "cannot be folded: its shapes disagree".to_owned(),
    })?;
    Ok(graph.conv(x, &filters, Some(&bias), window, 1))
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the point")]
fn fold(filters: &Tensor, bias: &Tensor, scale: &Tensor, shift: &Tensor) -> Option<(Tensor, Tensor)> {
    let per_channel = filters.values().len().checked_div(scale.values().len())?;
    let folded = filters
        .values()
        .chunks(per_channel.max(1))
        .zip(scale.values())
        .flat_map(|(own, scale)| own.iter().map(|value| (f64::from(*value) * f64::from(*scale)) as f32))
        .collect();
    let shifted = bias
        .values()
        .iter()
        .zip(scale.values())
        .zip(shift.values())
        .map(|((bias, scale), shift)| (f64::from(*bias) * f64::from(*scale) + f64::from(*shift)) as f32)
        .collect();
    Some((Tensor::new(filters.dims().to_vec(), folded)?, Tensor::new(bias.dims().to_vec(), shifted)?))
}
