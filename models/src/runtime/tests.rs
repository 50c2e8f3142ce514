#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{AARCH64, LIBRARY, RuntimeError, WheelError, X86_64, installed, unpack};
use crate::home::Home;

fn wheel(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_wheel_without_the_pinned_library_is_refused_and_hostile_names_reach_nothing() {
    assert!(matches!(unpack(b"not a zip", X86_64), Err(WheelError::Archive(_))));
    let library = format!("onnxruntime/capi/{LIBRARY}");
    for files in [
        &[("../../evil", &b"x"[..]), ("/etc/evil", b"x")][..],
        &[(&library, b"another library")],
        &[(&format!("../{library}"), b"x")],
    ] {
        assert!(matches!(unpack(&wheel(files), X86_64), Err(WheelError::NotPinned)), "{files:?}");
    }
}

#[test]
fn no_cut_of_a_wheel_panics() {
    let whole = wheel(&[(&format!("onnxruntime/capi/{LIBRARY}"), b"another library")]);
    for end in 0..whole.len() {
        assert!(unpack(&whole[..end], AARCH64).is_err());
    }
}

#[test]
fn an_altered_library_is_refused_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    assert!(matches!(installed(&home), Err(RuntimeError::NotInstalled | RuntimeError::Platform { .. })));
    fs::create_dir_all(home.runtime()).unwrap();
    let file = File::create(home.runtime().join(LIBRARY)).unwrap();
    for size in [1, X86_64.size, AARCH64.size] {
        file.set_len(size).unwrap();
        assert!(matches!(installed(&home), Err(RuntimeError::Altered(_) | RuntimeError::Platform { .. })));
    }
}

#[test]
fn the_requirements_pin_this_version_by_digest() {
    assert!(super::REQUIREMENTS.contains(&format!("onnxruntime=={} ", super::VERSION)));
    assert_eq!(super::REQUIREMENTS.matches("--hash=sha256:").count(), 2);
    assert!(LIBRARY.ends_with(super::VERSION));
}
