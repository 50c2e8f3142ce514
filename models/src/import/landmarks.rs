//! `face_landmark_68`: `[N, 3, 112, 112]` to `[N, 136]`: x and y of 68 points in turn, as fractions of the crop.

use super::ImportError;
use super::tiny_face::separable;
use super::weights::Weights;
use crate::onnx::{GraphBuilder, Size, Window};

/// Side of the crop in pixels. The last block's output is 7x7, pooled into one.
pub(super) const SIZE: u32 = 112;
const CHANNELS: [usize; 5] = [3, 32, 64, 128, 256];

/// The ONNX file.
pub(super) fn build(mut weights: Weights) -> Result<Vec<u8>, ImportError> {
    let side = Size::Fixed(i64::from(SIZE));
    let batch = Size::Named("batch");
    let (mut graph, mut x) =
        GraphBuilder::new("face_landmark_68", "crop", &[batch, Size::Fixed(3), side, side]);
    for (block, channels) in CHANNELS.windows(2).enumerate() {
        let name = |conv: usize| format!("dense{block}/conv{conv}");
        let (before, own) = (channels[0], channels[1]);
        x = if block == 0 {
            let filters = weights.filters(&format!("{}/filters", name(0)), 3, before, own)?;
            let bias = weights.take(&format!("{}/bias", name(0)), &[own])?;
            graph.conv(&x, &filters, Some(&bias), Window::same_3x3(2), 1)
        } else {
            separable(&mut graph, &mut weights, &x, &name(0), [before, own], 2)?
        };
        x = graph.relu(&x);
        // Each further convolution sees the rectified sum of all results of the block so far.
        let mut sum = x.clone();
        for conv in 1..4 {
            let result = separable(&mut graph, &mut weights, &x, &name(conv), [own, own], 1)?;
            sum = graph.add(&sum, &result);
            x = graph.relu(&sum);
        }
    }
    let pooled = graph.channel_means(&x);
    let matrix = weights.take("fc/weights", &[CHANNELS[4], 136])?;
    let bias = weights.take("fc/bias", &[136])?;
    let points = graph.fully_connected(&pooled, &matrix, Some(&bias));
    weights.finish()?;
    Ok(graph.finish(&points, "points", &[batch, Size::Fixed(136)]))
}
