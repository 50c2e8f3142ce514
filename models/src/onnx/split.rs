//! The default pack's detector in two parts: its first two layers as numbers, and an ONNX file of the rest.
//!
//! These layers see the whole image at its largest with the fewest channels: less arithmetic than their time on
//! ONNX Runtime would suggest, which writes each result to memory and reads it back (`likeness-bench pipeline`). Whoever
//! has a kernel that keeps them in the cache can run that, and the rest as before.

use prost::Message as _;

use super::build::{GraphBuilder, Size, Tensor, Window, port};
use super::schema::{FLOAT, ModelProto, TensorProto};

/// What the first two layers of `tiny_face_detector` compute: a 3x3 convolution without padding, a leaky ReLU, a 2x2
/// maximum of stride 2 without padding; a 3x3 filter per channel with a padding of 1, a 1x1 mix of channels, a leaky ReLU,
/// a 2x2 maximum of stride 2 with one more row and column at the bottom and right. Numbers are row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstLayers {
    /// `[16, 3, 3, 3]`: channel out, channel in, row, column.
    pub filters: Vec<f32>,
    /// `[16]`.
    pub bias: Vec<f32>,
    /// `[16, 1, 3, 3]`: channel, 1, row, column.
    pub depthwise: Vec<f32>,
    /// `[32, 16, 1, 1]`: channel out, channel in.
    pub pointwise: Vec<f32>,
    /// `[32]`, of the mix.
    pub pointwise_bias: Vec<f32>,
    /// What both leaky ReLUs multiply numbers below 0 with.
    pub slope: f32,
}

/// Nodes of the first two layers.
const NODES: usize = 7;
/// What both leaky ReLUs of this network multiply with.
const SLOPE: f32 = 0.1;

/// The first two layers, and an ONNX file that takes their result (`[N, 32, H/4, W/4]`) and gives what the whole gives.
/// Nothing when the file is not a detector that this crate has built: a network of another make is left alone.
pub(crate) fn split(onnx: &[u8]) -> Option<(FirstLayers, Vec<u8>)> {
    let mut model = ModelProto::decode(onnx).ok()?;
    // What this crate does not read would be lost in the second file.
    if model.encode_to_vec() != onnx {
        return None;
    }
    let graph = model.graph.as_mut()?;
    let weights: Vec<Tensor> = graph.initializer.iter().take(5).map(numbers).collect::<Option<_>>()?;
    let [filters, bias, depthwise, pointwise, pointwise_bias] = <[Tensor; 5]>::try_from(weights).ok()?;
    let shapes = [&filters, &bias, &depthwise, &pointwise, &pointwise_bias].map(Tensor::dims);
    if shapes != [&[16, 3, 3, 3][..], &[16], &[16, 1, 3, 3], &[32, 16, 1, 1], &[32]] {
        return None;
    }
    let [batch, rows, columns] = [Size::Named("batch"), Size::Named("height"), Size::Named("width")];
    // Built anew: only the same nodes in the same order compute the same.
    let (mut first, mut x) = GraphBuilder::new(&graph.name, "image", &[batch, Size::Fixed(3), rows, columns]);
    x = first.conv(&x, &filters, Some(&bias), Window::valid(1), 1);
    x = first.leaky_relu(&x, SLOPE);
    x = first.max_pool(&x, 2, Window::valid(2));
    x = first.conv(&x, &depthwise, None, Window::same_3x3(1), 16);
    x = first.conv(&x, &pointwise, Some(&pointwise_bias), Window::valid(1), 1);
    x = first.leaky_relu(&x, SLOPE);
    first.max_pool(&x, 2, Window { stride: 2, pads: [0, 0, 1, 1] });
    let first = first.into_graph();
    if graph.node.get(..NODES) != Some(&first.node[..])
        || graph.input != first.input
        || graph.initializer[..5] != first.initializer[..]
    {
        return None;
    }
    let result = first.node.last()?.output.first()?.clone();
    graph.node.drain(..NODES);
    graph.initializer.drain(..5);
    let gone = |name: &String| {
        *name != result
            && (first.node.iter().any(|node| node.output.contains(name))
                || first.initializer.iter().any(|weights| weights.name == *name)
                || first.input.iter().any(|input| input.name == *name))
    };
    if graph.node.iter().flat_map(|node| &node.input).any(gone) {
        return None;
    }
    // Names of their own: they are no rows and columns of any other value.
    graph.input = vec![port(
        &result,
        &[batch, Size::Fixed(32), Size::Named("quarter_height"), Size::Named("quarter_width")],
    )];
    let layers = FirstLayers {
        filters: filters.values().to_vec(),
        bias: bias.values().to_vec(),
        depthwise: depthwise.values().to_vec(),
        pointwise: pointwise.values().to_vec(),
        pointwise_bias: pointwise_bias.values().to_vec(),
        slope: SLOPE,
    };
    Some((layers, model.encode_to_vec()))
}

fn numbers(from: &TensorProto) -> Option<Tensor> {
    if from.data_type != FLOAT {
        return None;
    }
    let (values, rest) = from.raw_data.as_chunks::<4>();
    let dims = from.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?;
    let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    if rest.is_empty() { Tensor::new(dims, values) } else { None }
}
