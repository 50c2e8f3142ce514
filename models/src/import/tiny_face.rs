//! `tiny_face_detector`: a small YOLO-style network. `[N, 3, H, W]` to `[N, 25, H/32, W/32]`, sides multiples of 32.
//!
//! Channel `5 * anchor + k` of the output is, raw, the box's x, y, width, height and the score.

use super::ImportError;
use super::weights::Weights;
use crate::onnx::{GraphBuilder, Size, Value, Window};

const CHANNELS: [usize; 6] = [16, 32, 64, 128, 256, 512];
const ANCHORS_TIMES_VALUES: usize = 25;

/// The ONNX file.
pub(super) fn build(mut weights: Weights) -> Result<Vec<u8>, ImportError> {
    let batch = Size::Named("batch");
    let (mut graph, mut x) = GraphBuilder::new(
        "tiny_face_detector",
        "image",
        &[batch, Size::Fixed(3), Size::Named("height"), Size::Named("width")],
    );
    let filters = weights.filters("conv0/filters", 3, 3, CHANNELS[0])?;
    let bias = weights.take("conv0/bias", &[CHANNELS[0]])?;
    // This first one alone has no padding, so the side is two short of even until the next pool rounds it up.
    x = graph.conv(&x, &filters, Some(&bias), Window::valid(1), 1);
    x = activate_and_shrink(&mut graph, &x, Window::valid(2));
    for (layer, channels) in CHANNELS.windows(2).enumerate() {
        let layer = layer + 1;
        x = separable(&mut graph, &mut weights, &x, &format!("conv{layer}"), [channels[0], channels[1]], 1)?;
        let pads = [0, 0, 1, 1];
        let window = match layer {
            // H/2 - 1 is odd: the last row and column are pooled alone.
            1 => Window { stride: 2, pads },
            // The last pool keeps the size.
            5 => Window { stride: 1, pads },
            _ => Window::valid(2),
        };
        x = activate_and_shrink(&mut graph, &x, window);
    }
    let filters = weights.filters("conv8/filters", 1, CHANNELS[5], ANCHORS_TIMES_VALUES)?;
    let bias = weights.take("conv8/bias", &[ANCHORS_TIMES_VALUES])?;
    x = graph.conv(&x, &filters, Some(&bias), Window::valid(1), 1);
    weights.finish()?;
    Ok(graph.finish(&x, "grid", &[batch, Size::Fixed(25), Size::Named("rows"), Size::Named("columns")]))
}

fn activate_and_shrink(graph: &mut GraphBuilder, x: &Value, window: Window) -> Value {
    let x = graph.leaky_relu(x, 0.1);
    graph.max_pool(&x, 2, window)
}

/// A 3x3 filter per channel, then a 1x1 mix of channels, with a bias.
pub(super) fn separable(
    graph: &mut GraphBuilder,
    weights: &mut Weights,
    x: &Value,
    name: &str,
    [channels_in, channels_out]: [usize; 2],
    stride: i64,
) -> Result<Value, ImportError> {
    let depthwise = weights.depthwise(&format!("{name}/depthwise_filter"), channels_in)?;
    let pointwise = weights.filters(&format!("{name}/pointwise_filter"), 1, channels_in, channels_out)?;
    let bias = weights.take(&format!("{name}/bias"), &[channels_out])?;
    let groups = i64::try_from(channels_in).unwrap_or(i64::MAX);
    let x = graph.conv(x, &depthwise, None, Window::same_3x3(stride), groups);
    Ok(graph.conv(&x, &pointwise, Some(&bias), Window::valid(1), 1))
}
