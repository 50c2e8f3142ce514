//! Rules about single files.
use std::fs;

use crate::tree::{files, root, rust};

#[test]
fn a_source_file_stays_under_400_lines() {
    let long: Vec<_> = rust()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 400)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "one concept, one file; split these: {long:#?}");
}

#[test]
fn there_is_no_drawer_module() {
    let forbidden = ["common", "utils", "util", "types", "helpers", "misc", "mod"];
    let drawers: Vec<_> = rust()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            path.components()
                .any(|part| forbidden.contains(&part.as_os_str().to_string_lossy().trim_end_matches(".rs")))
        })
        .collect();
    assert!(drawers.is_empty(), "a type lives with the stage that makes it; rename: {drawers:#?}");
}

#[test]
fn nothing_is_left_unfinished() {
    let markers = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX", "#[ignore]"];
    let mut found = Vec::new();
    for (path, text) in rust() {
        if path.starts_with("tests/rules") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if markers.iter().any(|marker| line.contains(marker)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_machine_path_registry_host_or_weights_are_tracked() {
    let mut found = Vec::new();
    for path in files() {
        let shown = path.display().to_string();
        let size = fs::metadata(root().join(&path)).unwrap().len();
        if size > 512 * 1024 && !shown.ends_with(".lock") {
            found.push(format!("{shown}: {size} bytes; weights and photographs are never committed"));
        }
        if [".onnx", ".so", ".whl", ".tgz"].iter().any(|ending| shown.ends_with(ending)) {
            found.push(format!("{shown}: binary of another project"));
        }
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            // Spelt in parts, so that this file does not contain what it forbids.
            let hosts =
                [concat!("registry.npm", "js"), concat!("pypi", ".org"), concat!("files.python", "hosted")];
            let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
            if hosts.iter().chain(&paths).any(|needle| lower.contains(needle)) {
                found.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
