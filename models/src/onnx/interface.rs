//! What a graph takes and gives, read without its weights.
//!
//! A second, slimmer set of messages: what is not declared here is skipped over by the decoder, so a model of
//! hundreds of megabytes costs no memory, and bytes from an operator's file are only ever looked at, not obeyed.

use std::fmt;

use prost::Message as _;
use thiserror::Error;

use super::schema::{DimensionValue, ValueInfoProto};

/// Inputs (weights excluded) and outputs of a graph, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interface {
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

/// One input or output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// `TensorProto.DataType`; 1 is 32-bit float. `None` when it is no tensor.
    pub(crate) element: Option<i32>,
    /// `None` when the file does not say.
    pub(crate) shape: Option<Vec<Dimension>>,
}

/// One dimension of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dimension {
    /// Always this many.
    Fixed(u64),
    /// Any number.
    Free,
}

/// The ONNX file is not one that this part of a pack can use.
#[derive(Debug, Error)]
pub enum InterfaceError {
    /// The bytes do not decode.
    #[error("the file is not an ONNX model: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// There is nothing to run.
    #[error("the ONNX model holds no graph")]
    NoGraph,
    /// Weights lie in files that no digest covers.
    #[error("the ONNX model keeps weights in other files: export it with all weights inside")]
    ExternalData,
    /// Not exactly one input.
    #[error("wrong inputs: the model takes {found}, a pack's model takes 1")]
    InputCount {
        /// How many it takes, weights excluded.
        found: usize,
    },
    /// The input has another shape or element type.
    #[error("wrong input shape: `{name}` is {found}, expected {expected}")]
    Input {
        /// The input's name in the file.
        name: String,
        /// What the file says.
        found: String,
        /// What the manifest asks for.
        expected: String,
    },
    /// Another number of outputs than this kind has.
    #[error("wrong outputs: the model gives {found}, expected {expected}")]
    OutputCount {
        /// How many it gives.
        found: usize,
        /// How many this kind gives.
        expected: &'static str,
    },
    /// An output that this kind has by name is absent.
    #[error("wrong outputs: the model gives no `{name}`")]
    OutputMissing {
        /// The name.
        name: String,
    },
    /// An output has another shape or element type.
    #[error("wrong output shape: `{name}` is {found}, expected {expected}")]
    Output {
        /// The output's name in the file.
        name: String,
        /// What the file says.
        found: String,
        /// What the manifest asks for.
        expected: String,
    },
}

impl Interface {
    /// Reads the interface of an ONNX file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, InterfaceError> {
        let model = Model::decode(bytes)?;
        let graph = model.graph.ok_or(InterfaceError::NoGraph)?;
        if graph.external() || model.functions.iter().any(|function| function.node.iter().any(Node::external))
        {
            return Err(InterfaceError::ExternalData);
        }
        // Older exporters list the weights among the inputs as well.
        let weight = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        Ok(Self {
            inputs: graph.input.iter().filter(|input| !weight(&input.name)).map(Port::from).collect(),
            outputs: graph.output.iter().map(Port::from).collect(),
        })
    }
}

impl From<&ValueInfoProto> for Port {
    fn from(value: &ValueInfoProto) -> Self {
        let tensor = value.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
        let shape = tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| {
            shape
                .dim
                .iter()
                .map(|dim| match dim.value {
                    // Exporters write 0 or -1 for "any" too.
                    Some(DimensionValue::DimValue(value)) if value > 0 => {
                        Dimension::Fixed(value.unsigned_abs())
                    }
                    Some(DimensionValue::DimValue(_) | DimensionValue::DimParam(_)) | None => Dimension::Free,
                })
                .collect()
        });
        Self { name: value.name.clone(), element: tensor.map(|tensor| tensor.elem_type), shape }
    }
}

impl Port {
    /// The name for an error message: it comes from a file nobody vouches for.
    pub(crate) fn shown(&self) -> String {
        self.name.chars().take(64).flat_map(char::escape_debug).collect()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element {
            Some(1) => f.write_str("float")?,
            Some(10) => f.write_str("float16")?,
            Some(other) => write!(f, "element type {other}")?,
            None => f.write_str("no tensor")?,
        }
        match &self.shape {
            None => f.write_str(" of unknown shape"),
            Some(shape) => {
                f.write_str(" [")?;
                for (index, dim) in shape.iter().take(8).enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match dim {
                        Dimension::Fixed(value) => write!(f, "{comma}{value}")?,
                        Dimension::Free => write!(f, "{comma}any")?,
                    }
                }
                f.write_str(if shape.len() > 8 { ", ...]" } else { "]" })
            }
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "25")]
    functions: Vec<Function>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Function {
    #[prost(message, repeated, tag = "7")]
    node: Vec<Node>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Weights>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "15")]
    sparse_initializer: Vec<SparseWeights>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Attribute {
    #[prost(message, optional, tag = "5")]
    t: Option<Weights>,
    #[prost(message, optional, boxed, tag = "6")]
    g: Option<Box<Graph>>,
    #[prost(message, repeated, tag = "10")]
    tensors: Vec<Weights>,
    #[prost(message, repeated, tag = "11")]
    graphs: Vec<Graph>,
    #[prost(message, optional, tag = "22")]
    sparse_tensor: Option<SparseWeights>,
    #[prost(message, repeated, tag = "23")]
    sparse_tensors: Vec<SparseWeights>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Weights {
    #[prost(string, tag = "8")]
    name: String,
    #[prost(message, repeated, tag = "13")]
    external_data: Vec<Nothing>,
    #[prost(int32, tag = "14")]
    data_location: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SparseWeights {
    #[prost(message, optional, tag = "1")]
    values: Option<Weights>,
    #[prost(message, optional, tag = "2")]
    indices: Option<Weights>,
}

/// Present or not is all that matters.
#[derive(Clone, PartialEq, prost::Message)]
struct Nothing {}

impl Graph {
    fn external(&self) -> bool {
        self.initializer.iter().any(Weights::external)
            || self.sparse_initializer.iter().any(SparseWeights::external)
            || self.node.iter().any(Node::external)
    }
}

impl Node {
    /// Depth is bounded by the decoder, which refuses more than 100 nested messages.
    fn external(&self) -> bool {
        self.attribute.iter().any(|attribute| {
            attribute.t.iter().chain(&attribute.tensors).any(Weights::external)
                || attribute
                    .sparse_tensor
                    .iter()
                    .chain(&attribute.sparse_tensors)
                    .any(SparseWeights::external)
                || attribute.g.as_deref().into_iter().chain(&attribute.graphs).any(Graph::external)
        })
    }
}

impl Weights {
    fn external(&self) -> bool {
        self.data_location != 0 || !self.external_data.is_empty()
    }
}

impl SparseWeights {
    fn external(&self) -> bool {
        self.values.iter().chain(&self.indices).any(Weights::external)
    }
}
