#![allow(clippy::unwrap_used, reason = "tests")]

use super::{MANIFEST, Pack, PackError, list};
use crate::home::Home;
use crate::synthetic::home_with;

fn edit(home: &Home, from: &str, to: &str) {
    let path = home.path().join("packs/own").join(MANIFEST);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn refusal(home: &Home) -> String {
    Pack::open(home, "own").unwrap_err().to_string()
}

#[test]
fn a_pack_opens_and_gives_the_bytes_that_were_checked() {
    let (_folder, home) = home_with("own");
    let pack = Pack::open(&home, "own").unwrap();
    assert_eq!(crate::Digest::of(pack.detector_onnx()), pack.manifest().detector.sha256);
    assert_eq!(crate::Digest::of(pack.embedder_onnx()), pack.manifest().embedder.sha256);
    assert_eq!(
        crate::Digest::of(pack.landmarks_onnx().unwrap()),
        pack.manifest().landmarks.as_ref().unwrap().sha256
    );
    assert_eq!(pack.space_id(), pack.manifest().space_id());
}

#[test]
fn one_changed_bit_in_any_file_is_refused_by_name() {
    for file in ["detector.onnx", "landmarks.onnx", "embedder.onnx"] {
        let (_folder, home) = home_with("own");
        let path = home.path().join("packs/own").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3] ^= 1;
        std::fs::write(path, bytes).unwrap();
        let error = Pack::open(&home, "own").unwrap_err();
        assert!(matches!(&error, PackError::Digest { file: found, .. } if found.as_str() == file), "{error}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let (_folder, home) = home_with("own");
    std::fs::remove_file(home.path().join("packs/own/embedder.onnx")).unwrap();
    assert!(
        matches!(Pack::open(&home, "own"), Err(PackError::FileMissing(file)) if file.as_str() == "embedder.onnx")
    );
    assert!(matches!(Pack::open(&home, "other"), Err(PackError::NotFound(_))));
    assert!(matches!(Pack::open(&home, "../own"), Err(PackError::Name(_))));
}

#[test]
fn an_edited_manifest_is_refused() {
    let (_folder, home) = home_with("own");
    edit(&home, "dimension = 512", "dimension = 128");
    assert!(
        refusal(&home)
            .contains("wrong output shape: `out` is float [1, 512], expected float [any or 1, 128]")
    );
    edit(&home, "dimension = 128", "dimension = 512\nextra = 1");
    assert!(refusal(&home).contains("unknown field `extra`"));
    edit(&home, "\nextra = 1", "");
    edit(&home, "name = \"own\"", "name = \"else\"");
    assert!(refusal(&home).contains("calls itself `else`"));
    std::fs::write(home.path().join("packs/own").join(MANIFEST), vec![b'#'; 70_000]).unwrap();
    assert!(matches!(Pack::open(&home, "own"), Err(PackError::TooLarge { .. })));
    std::fs::write(home.path().join("packs/own").join(MANIFEST), [0xff, 0xfe]).unwrap();
    assert!(matches!(Pack::open(&home, "own"), Err(PackError::Read { .. })));
}

#[test]
fn a_list_shows_the_broken_ones_too_and_passes_over_unfinished_work() {
    let (_folder, home) = home_with("own");
    std::fs::create_dir_all(home.path().join("packs/.unfinished-x")).unwrap();
    std::fs::create_dir_all(home.path().join("packs/empty")).unwrap();
    let listed = list(&home).unwrap();
    let names: Vec<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["empty", "own"]);
    assert!(listed[0].pack.is_err());
    assert_eq!(listed[1].pack.as_ref().unwrap().dimension, 512);
    assert!(list(&Home::at("/nonexistent")).unwrap().is_empty());
}
