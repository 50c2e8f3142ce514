#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;

use super::weights::{Weights, groups};
use super::{ImportError, face_api, package, tiny_face};
use crate::manifest::Manifest;
use crate::onnx::{check, split};

fn read(json: &str, bytes: &[u8]) -> Result<Weights, ImportError> {
    Weights::read(&groups("w.json", json.as_bytes())?, |name| (name == "w.bin").then_some(bytes))
}

const TWO: &str = r#"[{"paths": ["w.bin"], "weights": [
    {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
    {"name": "b", "shape": [1], "dtype": "float32"}]}]"#;

#[test]
fn bytes_become_numbers_by_scale_and_minimum() {
    let bytes = [&[0, 1, 2, 255][..], &3.25_f32.to_le_bytes()].concat();
    let mut weights = read(TWO, &bytes).unwrap();
    assert_eq!(weights.take("a", &[2, 2]).unwrap().values(), [-1.0, -0.5, 0.0, 126.5]);
    assert_eq!(weights.take("b", &[1]).unwrap().values(), [3.25]);
    weights.finish().unwrap();
}

#[test]
fn filters_come_out_in_the_order_of_onnx() {
    let json = r#"[{"paths": ["w.bin"], "weights": [
        {"name": "f", "shape": [1, 1, 2, 3], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}}]}]"#;
    let filters = read(json, &[1, 2, 3, 4, 5, 6]).unwrap().filters("f", 1, 2, 3).unwrap();
    assert_eq!(filters.dims(), [3, 2, 1, 1]);
    assert_eq!(filters.values(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let bytes = [&[0, 1, 2, 255][..], &3.25_f32.to_le_bytes()].concat();
    assert!(read(TWO, &bytes[..5]).is_err());
    assert!(read(TWO, &[&bytes[..], &[0]].concat()).is_err());
    assert!(read(TWO, &[&[0; 4][..], &f32::NAN.to_le_bytes()].concat()).is_err());
    for (from, to) in [
        ("\"w.bin\"", "\"../w.bin\""),
        ("\"uint8\"", "\"uint16\""),
        ("[2, 2]", "[18446744073709551615, 2]"),
        ("\"b\"", "\"a\""),
        ("0.5", "1e300"),
        ("\"float32\"}]", "\"int32\"}]"),
        ("\"name\": \"b\"", "\"name\": \"b\", \"unknown\": 1"),
    ] {
        assert!(TWO.contains(from), "{from}");
        assert!(read(&TWO.replacen(from, to, 1), &bytes).is_err(), "{to}");
    }
    let mut weights = read(TWO, &bytes).unwrap();
    assert!(weights.take("a", &[4]).is_err());
    assert!(weights.take("c", &[4]).is_err());
    assert!(weights.finish().is_err());
}

fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_old();
        // Set by hand: the crate would refuse to write such names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&tar.into_inner().unwrap()).unwrap();
    gz.finish().unwrap()
}

#[test]
fn only_names_asked_for_are_read_from_a_package() {
    let bytes = tgz(&[
        ("../../evil", b"x"),
        ("/etc/evil", b"x"),
        ("package/../LICENSE", b"x"),
        ("package/LICENSE", b"right"),
    ]);
    let files = package::files(&bytes, &["package/LICENSE".to_owned()]).unwrap();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), [("package/LICENSE".to_owned(), b"right".to_vec())]);
    assert!(matches!(package::files(&bytes, &["package/none".to_owned()]), Err(ImportError::FileMissing(_))));
    for end in 0..bytes.len() {
        let _ = package::files(&bytes[..end], &["package/LICENSE".to_owned()]);
    }
}

#[test]
fn a_tampered_package_is_refused_before_it_is_read() {
    for bytes in [&b""[..], b"junk", &tgz(&[("package/LICENSE", b"right")])] {
        assert!(matches!(face_api::import(bytes), Err(ImportError::Integrity { .. })));
    }
}

/// The tiny face detector with made-up weights, as the package would hold it.
fn tiny_face_weights() -> Weights {
    let mut entries =
        vec![("conv0/filters".to_owned(), vec![3, 3, 3, 16]), ("conv0/bias".to_owned(), vec![16])];
    for (layer, width) in [16, 32, 64, 128, 256].into_iter().enumerate() {
        let name = |part: &str| format!("conv{}/{part}", layer + 1);
        entries.push((name("depthwise_filter"), vec![3, 3, width, 1]));
        entries.push((name("pointwise_filter"), vec![1, 1, width, 2 * width]));
        entries.push((name("bias"), vec![2 * width]));
    }
    entries.push(("conv8/filters".to_owned(), vec![1, 1, 512, 25]));
    entries.push(("conv8/bias".to_owned(), vec![25]));
    let count: usize = entries.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    let list: Vec<serde_json::Value> = entries
        .iter()
        .map(|(name, shape)| {
            let quantization = serde_json::json!({"dtype": "uint8", "scale": 0.013, "min": -1.7});
            serde_json::json!({"name": name, "shape": shape, "dtype": "float32", "quantization": quantization})
        })
        .collect();
    let json = serde_json::json!([{"paths": ["w.bin"], "weights": list}]).to_string();
    let bytes: Vec<u8> = (0..count).map(|index| (index.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
    read(&json, &bytes).unwrap()
}

#[test]
fn a_network_is_built_the_same_each_time_and_fits_its_kind() {
    let bytes = tiny_face::build(tiny_face_weights()).unwrap();
    assert_eq!(bytes, tiny_face::build(tiny_face_weights()).unwrap());
    let manifest = Manifest::parse(include_str!("../manifest/example.toml")).unwrap();
    check::detector(&bytes, &manifest).unwrap();
}

#[test]
fn the_detector_comes_apart_and_nothing_else_does() {
    let bytes = tiny_face::build(tiny_face_weights()).unwrap();
    let (first, rest) = split(&bytes).unwrap();
    let mut weights = tiny_face_weights();
    let filters = weights.filters("conv0/filters", 3, 3, 16).unwrap();
    assert_eq!(first.filters, filters.values());
    assert_eq!(first.pointwise_bias, weights.take("conv1/bias", &[32]).unwrap().values());
    let manifest = Manifest::parse(include_str!("../manifest/example.toml")).unwrap();
    // What is left takes 32 channels, and is no detector by itself.
    assert!(check::detector(&rest, &manifest).is_err());
    assert!(rest.len() < bytes.len());
    assert_eq!(split(&rest), None);
    // One filter more, another order, a setting, a cut, a byte that this crate does not read: left alone.
    assert_eq!(split(&bytes[..bytes.len() - 1]), None);
    assert_eq!(split(&[&bytes[..], &[0x28, 1]].concat()), None);
    let leaky = bytes.windows(9).position(|name| name == b"LeakyRelu").unwrap();
    let mut other = bytes.clone();
    other[leaky..leaky + 9].copy_from_slice(b"LeakyReLu");
    assert_eq!(split(&other), None);
    let mut steeper = bytes.clone();
    let slope = bytes.windows(4).position(|value| value == 0.1_f32.to_le_bytes()).unwrap();
    steeper[slope..slope + 4].copy_from_slice(&0.2_f32.to_le_bytes());
    assert_eq!(split(&steeper), None);
}

/// A number that the nearest reading and the one that the digests were pinned with do not agree about: of `conv8/filters`.
#[test]
fn numbers_are_read_as_when_the_digests_were_pinned() {
    assert_eq!(super::weights::round_twice(0.028336129469030042), Some(0.02833612946903004));
    assert_ne!(0.028336129469030042_f64.to_bits(), 0.02833612946903004_f64.to_bits());
    for same in [0.0, 1.0, -5.0, 0.5, 1.0384e-9, 12_345.678, 1e22] {
        assert_eq!(super::weights::round_twice(same), Some(same), "{same}");
    }
}

#[test]
fn the_real_package_gives_the_pinned_digests() {
    let Some(package) = std::env::var_os("LIKENESS_FACE_API_PACKAGE") else {
        eprintln!("skipped: LIKENESS_FACE_API_PACKAGE names no npm package to import");
        return;
    };
    let mut bytes = std::fs::read(package).unwrap();
    let imported = face_api::import(&bytes).unwrap();
    assert_eq!(imported.files.len(), 3);
    assert!(imported.licence.starts_with(b"MIT License"));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(matches!(face_api::import(&bytes), Err(ImportError::Integrity { .. })));
}
