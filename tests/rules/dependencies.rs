//! Dependency checks from `cargo metadata`: licences, sources, pins.
use std::process::Command;

use crate::tree::root;

/// Licences under which a dependency may be used in an Apache-2.0 service.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// True when at least one alternative of an SPDX expression has only allowed licences.
fn allowed(expression: &str) -> bool {
    let cleaned = expression.replace('/', " OR ").replace(['(', ')'], "");
    // Every dependency in use has a flat expression or one where treating AND as the tighter binding is exact.
    cleaned
        .split(" OR ")
        .any(|alternative| alternative.split(" AND ").all(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "cargo metadata lists only {} packages", packages.len());
    let mut refused = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(source) = package["source"].as_str() else {
            assert!(name.starts_with("likeness-"), "`{name}` is a path dependency from outside");
            continue;
        };
        if !source.starts_with("registry+") {
            refused.push(format!("{name}: comes from {source}"));
        }
        match package["license"].as_str() {
            Some(licence) if allowed(licence) => {}
            other => refused.push(format!("{name}: licence {other:?}")),
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn the_inference_crate_is_pinned_exactly() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        for dependency in package["dependencies"].as_array().unwrap() {
            if package["source"].is_null() && dependency["name"] == "ort" {
                let wanted = dependency["req"].as_str().unwrap();
                assert!(
                    wanted.starts_with('='),
                    "`ort` is wanted as `{wanted}`; a release candidate is pinned exactly"
                );
            }
        }
    }
}

#[test]
fn licence_expressions_are_read_as_meant() {
    assert!(allowed("MIT OR Apache-2.0"));
    assert!(allowed("MIT/Apache-2.0"));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allowed("GPL-3.0 OR MIT"));
    assert!(!allowed("GPL-3.0"));
    assert!(!allowed("MIT AND GPL-3.0"));
}
