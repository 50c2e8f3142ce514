//! Writes an ONNX graph, node by node. The same calls give the same bytes: names are counted, nothing is
//! hashed or dated.

use prost::Message as _;

use super::schema::{
    ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS, AttributeProto, DimensionProto, DimensionValue, FLOAT,
    GraphProto, INT64, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorType,
    TypeProto, ValueInfoProto,
};

/// Oldest versions that have all that is used here: more runtimes can read them.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 13;

/// Numbers with a shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    dims: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// `None` when the numbers do not fill the shape exactly.
    pub(crate) fn new(dims: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        let count = dims.iter().try_fold(1_usize, |count, dim| count.checked_mul(*dim))?;
        (count == values.len()).then_some(Self { dims, values })
    }

    pub(crate) fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The tensor with its axes in another order. `None` unless `order` names each axis once.
    pub(crate) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut named = order.to_vec();
        named.sort_unstable();
        if !named.iter().copied().eq(0..self.dims.len()) {
            return None;
        }
        let mut strides = vec![1; self.dims.len()];
        for axis in (1..self.dims.len()).rev() {
            strides[axis - 1] = strides[axis] * self.dims[axis];
        }
        let dims: Vec<usize> = order.iter().map(|axis| self.dims[*axis]).collect();
        let values = (0..self.values.len())
            .map(|flat| {
                let mut rest = flat;
                let mut from = 0;
                for (dim, axis) in dims.iter().zip(order).rev() {
                    from += (rest % dim) * strides[*axis];
                    rest /= dim;
                }
                self.values[from]
            })
            .collect();
        Some(Self { dims, values })
    }
}

/// The result of a node, or the input.
#[derive(Clone, Debug)]
pub(crate) struct Value(String);

/// A dimension of an input or output.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Fixed(i64),
    /// Any number; equal names mean equal numbers.
    Named(&'static str),
}

/// How a kernel moves over an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) stride: i64,
    /// Rows and columns added: top, left, bottom, right.
    pub(crate) pads: [i64; 4],
}

impl Window {
    /// Nothing is added.
    pub(crate) const fn valid(stride: i64) -> Self {
        Self { stride, pads: [0; 4] }
    }

    /// What is added when an image of even side keeps its side with a 3x3 kernel, or halves it.
    /// TensorFlow puts the odd row and column at the bottom and right.
    pub(crate) const fn same_3x3(stride: i64) -> Self {
        if stride == 2 { Self { stride, pads: [0, 0, 1, 1] } } else { Self { stride, pads: [1; 4] } }
    }
}

/// A graph with one input, under construction.
#[derive(Debug)]
pub(crate) struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    /// Starts a graph that takes `input`, and returns it with that value.
    pub(crate) fn new(name: &str, input: &str, shape: &[Size]) -> (Self, Value) {
        let graph =
            GraphProto { name: name.to_owned(), input: vec![port(input, shape)], ..GraphProto::default() };
        (Self { graph }, Value(input.to_owned()))
    }

    /// Ends the graph: `value` becomes `output`. The bytes are a whole ONNX file.
    pub(crate) fn finish(mut self, value: &Value, output: &str, shape: &[Size]) -> Vec<u8> {
        // The last node's result is renamed rather than copied by a node of its own.
        for node in &mut self.graph.node {
            for name in node.input.iter_mut().chain(&mut node.output) {
                if *name == value.0 {
                    output.clone_into(name);
                }
            }
        }
        self.graph.output.push(port(output, shape));
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "likeness-models".to_owned(),
            // Of the importer's output, not of the crate: a release must not change the digests.
            producer_version: "1".to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATOR_SET }],
        };
        model.encode_to_vec()
    }

    /// What was built so far, without an output.
    pub(super) fn into_graph(self) -> GraphProto {
        self.graph
    }

    /// Convolution. `filters` are `[out, in / groups, rows, columns]`.
    pub(crate) fn conv(
        &mut self,
        x: &Value,
        filters: &Tensor,
        bias: Option<&Tensor>,
        window: Window,
        groups: i64,
    ) -> Value {
        let mut inputs = vec![x.0.clone(), self.weights(filters)];
        inputs.extend(bias.map(|bias| self.weights(bias)));
        let mut attributes = window_of(window);
        attributes.push(int("group", groups));
        self.node("Conv", inputs, attributes)
    }

    pub(crate) fn relu(&mut self, x: &Value) -> Value {
        self.node("Relu", vec![x.0.clone()], vec![])
    }

    pub(crate) fn leaky_relu(&mut self, x: &Value, slope: f32) -> Value {
        self.node("LeakyRelu", vec![x.0.clone()], vec![float("alpha", slope)])
    }

    pub(crate) fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Add", vec![a.0.clone(), b.0.clone()], vec![])
    }

    /// Added rows and columns never win the maximum.
    pub(crate) fn max_pool(&mut self, x: &Value, side: i64, window: Window) -> Value {
        self.pool("MaxPool", x, side, window)
    }

    pub(crate) fn average_pool(&mut self, x: &Value, side: i64, window: Window) -> Value {
        self.pool("AveragePool", x, side, window)
    }

    /// The mean of each channel, as `[N, channels]`.
    pub(crate) fn channel_means(&mut self, x: &Value) -> Value {
        let pooled = self.node("GlobalAveragePool", vec![x.0.clone()], vec![]);
        self.node("Flatten", vec![pooled.0], vec![int("axis", 1)])
    }

    /// Zeros after the last channel, row and column.
    pub(crate) fn pad(&mut self, x: &Value, channels: i64, rows: i64, columns: i64) -> Value {
        let name = self.fresh("pads");
        let pads = [0, 0, 0, 0, 0, channels, rows, columns];
        self.graph.initializer.push(TensorProto {
            dims: vec![8],
            data_type: INT64,
            name: name.clone(),
            raw_data: pads.iter().flat_map(|pad| pad.to_le_bytes()).collect(),
        });
        self.node("Pad", vec![x.0.clone(), name], vec![])
    }

    /// `x` of `[N, in]` times `matrix` of `[in, out]`, plus `bias`.
    pub(crate) fn fully_connected(&mut self, x: &Value, matrix: &Tensor, bias: Option<&Tensor>) -> Value {
        let mut inputs = vec![x.0.clone(), self.weights(matrix)];
        inputs.extend(bias.map(|bias| self.weights(bias)));
        self.node("Gemm", inputs, vec![])
    }

    fn pool(&mut self, kind: &str, x: &Value, side: i64, window: Window) -> Value {
        let mut attributes = window_of(window);
        attributes.push(ints("kernel_shape", vec![side, side]));
        self.node(kind, vec![x.0.clone()], attributes)
    }

    fn weights(&mut self, tensor: &Tensor) -> String {
        let name = self.fresh("weights");
        self.graph.initializer.push(TensorProto {
            // A dimension of weights that are in memory fits.
            dims: tensor.dims.iter().map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX)).collect(),
            data_type: FLOAT,
            name: name.clone(),
            raw_data: tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name
    }

    fn node(&mut self, kind: &str, input: Vec<String>, attribute: Vec<AttributeProto>) -> Value {
        let name = format!("{}_{}", kind.to_ascii_lowercase(), self.graph.node.len());
        self.graph.node.push(NodeProto {
            input,
            output: vec![name.clone()],
            name: name.clone(),
            op_type: kind.to_owned(),
            attribute,
        });
        Value(name)
    }

    fn fresh(&self, kind: &str) -> String {
        format!("{kind}_{}", self.graph.initializer.len())
    }
}

/// A value of 32-bit floats that goes in or out.
pub(super) fn port(name: &str, shape: &[Size]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|size| DimensionProto {
            value: Some(match size {
                Size::Fixed(value) => DimensionValue::DimValue(*value),
                Size::Named(name) => DimensionValue::DimParam((*name).to_owned()),
            }),
        })
        .collect();
    let tensor_type = Some(TensorType { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

fn window_of(window: Window) -> Vec<AttributeProto> {
    vec![ints("strides", vec![window.stride, window.stride]), ints("pads", window.pads.to_vec())]
}

fn attribute(name: &str, r#type: i32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: None, i: None, ints: Vec::new(), r#type }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, ATTRIBUTE_FLOAT) }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, ATTRIBUTE_INT) }
}

fn ints(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto { ints: values, ..attribute(name, ATTRIBUTE_INTS) }
}
