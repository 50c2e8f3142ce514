//! ONNX files with given inputs and outputs and no nodes, for tests.

use prost::Message as _;

use super::schema::{
    DimensionProto, DimensionValue, FLOAT, GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto,
    TensorType, TypeProto, ValueInfoProto,
};

/// In a shape: any number.
pub(crate) const ANY: i64 = -7;

/// A value of 32-bit floats.
pub(super) fn port(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|value| DimensionProto {
            value: Some(match *value {
                ANY => DimensionValue::DimParam("any".to_owned()),
                value => DimensionValue::DimValue(value),
            }),
        })
        .collect();
    let tensor_type = Some(TensorType { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

pub(super) fn file(graph: GraphProto) -> Vec<u8> {
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 13 }];
    ModelProto { ir_version: 8, graph: Some(graph), opset_import, ..ModelProto::default() }.encode_to_vec()
}

/// A whole file.
pub(crate) fn model(inputs: &[(&str, &[i64])], outputs: &[(&str, &[i64])]) -> Vec<u8> {
    let ports = |of: &[(&str, &[i64])]| of.iter().map(|(name, shape)| port(name, shape)).collect();
    file(GraphProto { input: ports(inputs), output: ports(outputs), ..GraphProto::default() })
}
