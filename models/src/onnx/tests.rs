#![allow(clippy::unwrap_used, reason = "tests")]

use prost::Message as _;

use super::build::{GraphBuilder, Size, Tensor, Window};
use super::interface::{Dimension, Interface};
use super::schema::GraphProto;
use super::testing::{ANY, file, model, port};
use super::{InterfaceError, check};
use crate::manifest::{Detector, DetectorKind, Manifest};
use crate::synthetic::{tiny_face, vector, yunet};

fn manifest(change: impl FnOnce(&mut Detector)) -> Manifest {
    let mut manifest = Manifest::parse(include_str!("../manifest/example.toml")).unwrap();
    change(&mut manifest.detector);
    manifest
}

#[test]
fn what_is_built_says_what_it_takes_and_gives() {
    let build = || {
        let (mut graph, x) = GraphBuilder::new("g", "in", &[Size::Named("batch"), Size::Fixed(3)]);
        let x = graph.relu(&x);
        let x = graph.pad(&x, 1, 0, 0);
        let filters = Tensor::new(vec![1, 1, 1, 1], vec![2.0]).unwrap();
        let x = graph.conv(&x, &filters, None, Window::valid(1), 1);
        graph.finish(&x, "out", &[Size::Fixed(7)])
    };
    let interface = Interface::read(&build()).unwrap();
    assert_eq!(interface.inputs[0].name, "in");
    assert_eq!(interface.inputs[0].shape, Some(vec![Dimension::Free, Dimension::Fixed(3)]));
    assert_eq!(interface.outputs[0].to_string(), "float [7]");
    assert_eq!(build(), build());
}

#[test]
fn a_tensor_is_exactly_full_and_turns_like_a_table() {
    assert_eq!(Tensor::new(vec![2, 2], vec![0.0; 3]), None);
    assert_eq!(Tensor::new(vec![usize::MAX, 2], vec![]), None);
    let table = Tensor::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let turned = table.transposed(&[1, 0]).unwrap();
    assert_eq!((turned.dims(), turned.values()), (&[3, 2][..], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]));
    assert_eq!(table.transposed(&[0, 0]), None);
}

#[test]
fn each_kind_of_detector_is_told_by_its_outputs() {
    check::detector(&tiny_face(), &manifest(|_| {})).unwrap();
    check::detector(&yunet(), &manifest(|d| d.kind = DetectorKind::YuNet)).unwrap();
    let error = check::detector(&yunet(), &manifest(|_| {})).unwrap_err();
    assert!(matches!(error, InterfaceError::OutputCount { found: 12, .. }), "{error}");
    let error = check::detector(&tiny_face(), &manifest(|d| d.kind = DetectorKind::YuNet)).unwrap_err();
    assert!(matches!(error, InterfaceError::OutputCount { found: 1, .. }), "{error}");
    let other = model(&[("i", &[ANY, 3, ANY, ANY])], &[("o", &[ANY, 30, ANY, ANY])]);
    let error = check::detector(&other, &manifest(|_| {})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "wrong output shape: `o` is float [any, 30, any, any], expected float [any or 1, 25, any, any]"
    );
}

#[test]
fn scrfd_outputs_count_by_order_and_points_may_be_absent_beside_a_landmarks_model() {
    let scrfd = |values: &[i64]| {
        let shapes: Vec<[i64; 2]> = values.iter().flat_map(|value| [[ANY, *value]; 3]).collect();
        let outputs: Vec<(&str, &[i64])> = shapes.iter().map(|shape| ("443", &shape[..])).collect();
        model(&[("input.1", &[1, 3, ANY, ANY])], &outputs)
    };
    let with = manifest(|d| d.kind = DetectorKind::Scrfd);
    let mut without = with.clone();
    without.landmarks = None;
    check::detector(&scrfd(&[1, 4, 10]), &with).unwrap();
    check::detector(&scrfd(&[1, 4, 10]), &without).unwrap();
    check::detector(&scrfd(&[1, 4]), &with).unwrap();
    assert!(check::detector(&scrfd(&[1, 4]), &without).is_err());
    assert!(check::detector(&scrfd(&[4, 1, 10]), &with).is_err());
    assert!(check::detector(&scrfd(&[1]), &with).is_err());
}

#[test]
fn a_fixed_input_serves_only_its_own_scale() {
    let fixed = model(&[("i", &[1, 3, 320, 320])], &[("o", &[1, 25, 10, 10])]);
    check::detector(&fixed, &manifest(|d| d.scales = vec![320])).unwrap();
    assert!(check::detector(&fixed, &manifest(|d| d.scales = vec![640])).is_err());
    assert!(check::detector(&fixed, &manifest(|d| d.scales = vec![320, 640])).is_err());
}

#[test]
fn wrong_sizes_and_dimensions_are_refused() {
    let manifest = manifest(|_| {});
    let landmarks = manifest.landmarks.as_ref().unwrap();
    check::landmarks(&vector(112, 136), landmarks).unwrap();
    check::embedder(&vector(150, 128), &manifest.embedder).unwrap();
    for wrong in [vector(112, 128), vector(150, 512), vector(150, ANY)] {
        assert!(check::embedder(&wrong, &manifest.embedder).is_err());
    }
    assert!(check::landmarks(&vector(112, 10), landmarks).is_err());
    let rows_first = model(&[("i", &[1, 150, 150, 3])], &[("o", &[1, 128])]);
    assert!(matches!(check::embedder(&rows_first, &manifest.embedder), Err(InterfaceError::Input { .. })));
    let fixed_batch = model(&[("i", &[4, 3, 150, 150])], &[("o", &[4, 128])]);
    assert!(check::embedder(&fixed_batch, &manifest.embedder).is_err());
    let two = model(&[("i", &[1, 3, 150, 150]), ("j", &[1])], &[("o", &[1, 128])]);
    assert!(matches!(
        check::embedder(&two, &manifest.embedder),
        Err(InterfaceError::InputCount { found: 2 })
    ));
}

#[test]
fn weights_listed_among_the_inputs_are_no_inputs() {
    let (mut graph, x) = GraphBuilder::new("g", "in", &[Size::Fixed(1)]);
    let x = graph.pad(&x, 1, 1, 1);
    let bytes = graph.finish(&x, "out", &[Size::Fixed(1)]);
    let mut model = super::schema::ModelProto::decode(bytes.as_slice()).unwrap();
    model.graph.as_mut().unwrap().input.push(port("pads_0", &[8]));
    assert_eq!(Interface::read(&model.encode_to_vec()).unwrap().inputs.len(), 1);
}

/// A tensor whose bytes are in another file: `data_location` (14) is EXTERNAL (1).
#[test]
fn weights_in_other_files_are_refused_wherever_they_hide() {
    // initializer (5) of the graph, and a tensor (5) of an attribute (5) of a node (1).
    let tensor = [0x70, 0x01];
    let wrap = |tag: u8, inner: &[u8]| [&[tag << 3 | 2, u8::try_from(inner.len()).unwrap()], inner].concat();
    for graph in [
        wrap(5, &tensor),
        wrap(1, &wrap(5, &wrap(5, &tensor))),
        wrap(1, &wrap(5, &wrap(6, &wrap(5, &tensor)))),
    ] {
        let bytes = wrap(7, &graph);
        assert!(matches!(Interface::read(&bytes), Err(InterfaceError::ExternalData)), "{bytes:?}");
    }
}

#[test]
fn damaged_bytes_are_refused_or_read_and_never_panic() {
    assert!(matches!(Interface::read(b""), Err(InterfaceError::NoGraph)));
    assert!(matches!(Interface::read(b"<html>not found</html>"), Err(InterfaceError::Malformed(_))));
    let whole = yunet();
    let manifest = manifest(|d| d.kind = DetectorKind::YuNet);
    for end in 0..whole.len() {
        let _ = check::detector(&whole[..end], &manifest);
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let _ = check::detector(&bytes, &manifest);
        }
    }
    // Graphs nested without end are cut off by the decoder.
    let mut nested = Vec::new();
    for _ in 0..2_000 {
        for tag in [6_u8, 5, 1] {
            let mut outer = vec![tag << 3 | 2];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.extend(&nested);
            nested = outer;
        }
    }
    let mut bytes = vec![7 << 3 | 2];
    prost::encoding::encode_varint(nested.len() as u64, &mut bytes);
    bytes.extend(nested);
    assert!(matches!(Interface::read(&bytes), Err(InterfaceError::Malformed(_))));
}

#[test]
fn names_from_a_file_are_shown_harmlessly() {
    let long = "\u{1b}[2J".repeat(100);
    let bytes = file(GraphProto {
        input: vec![port(&long, &[1])],
        output: vec![port("o", &[1])],
        ..GraphProto::default()
    });
    let text = check::embedder(&bytes, &manifest(|_| {}).embedder).unwrap_err().to_string();
    assert!(!text.contains('\u{1b}') && text.len() < 600, "{text}");
}
