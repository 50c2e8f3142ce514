//! Who may know whom: between crates (Cargo keeps cycles out, this keeps the direction), and inside them.
use std::{collections::BTreeSet, fs, path::Path};

use crate::tree::{code_lines, root, rust};

/// Crates of the workspace that `folder` depends on outside tests.
fn inside_dependencies(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = if line.trim() == "[dependencies]" { "dependencies" } else { "" };
        } else if section == "dependencies" && line.starts_with("likeness-") {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            found.insert(name.trim_start_matches("likeness-").to_owned());
        }
    }
    found
}

#[test]
fn crates_know_only_those_the_architecture_allows() {
    let allowed: [(&str, &[&str]); 7] = [
        ("proto", &[]),
        ("models", &[]),
        ("datasets", &[]),
        ("matcher", &["models"]),
        ("server", &["proto", "models", "matcher"]),
        ("benches", &["proto", "models", "matcher", "server", "datasets"]),
        ("tests", &["proto", "models", "matcher", "server", "datasets"]),
    ];
    for (folder, may) in allowed {
        let may: BTreeSet<String> = may.iter().map(|&name| name.to_owned()).collect();
        let knows = inside_dependencies(folder);
        assert!(knows.is_subset(&may), "`{folder}` knows {knows:?}, but may know only {may:?}");
    }
}

/// True when `line` holds `needle` as a word of its own, not as the end of a longer one.
fn names(line: &str, needle: &str) -> bool {
    line.match_indices(needle)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

/// Fails when `needle` appears in code outside the listed path prefixes.
fn only_in(needle: &str, prefixes: &[&str]) {
    let mut elsewhere = Vec::new();
    let mut seen = false;
    for (path, text) in rust() {
        if path.starts_with("tests/rules") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            if names(line, needle) {
                seen = true;
                if !prefixes.iter().any(|prefix| path.starts_with(prefix) || path == Path::new(prefix)) {
                    elsewhere.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(seen, "`{needle}` appears nowhere: this rule checks nothing");
    assert!(elsewhere.is_empty(), "`{needle}` may appear only in {prefixes:?}: {elsewhere:#?}");
}

#[test]
fn onnx_runtime_appears_only_where_inference_runs() {
    only_in("ort::", &["matcher/src/runtime.rs", "matcher/src/runtime", "benches"]);
}

#[test]
fn faiss_appears_only_in_the_index() {
    only_in("faiss::", &["matcher/src/index.rs", "matcher/src/index", "benches"]);
}

#[test]
fn wire_types_stay_at_the_wire() {
    let wire = [
        "server/src/rpc.rs",
        "server/src/rpc",
        "server/src/serve.rs",
        "server/src/serve",
        "server/src/cli.rs",
        "server/src/cli",
        "server/src/main.rs",
        "proto",
        "benches",
        "tests",
    ];
    only_in("likeness_proto::", &wire);
    only_in("tonic::", &wire);
}

#[test]
fn sql_stays_in_the_stores() {
    only_in(
        "rusqlite::",
        &[
            "server/src/keys.rs",
            "server/src/keys",
            "server/src/records.rs",
            "server/src/records",
            "server/src/audit.rs",
            "server/src/audit",
            "server/src/erasure",
            "server/src/lists.rs",
            "server/src/lists",
            "server/src/sqlite.rs",
            "benches",
            "tests",
        ],
    );
}

/// Stages of the matcher in flow order; a stage may use those before it and never those after.
const STAGES: [&str; 8] = ["decode", "detect", "select", "landmarks", "align", "quality", "embed", "index"];

#[test]
fn matcher_stages_never_look_ahead() {
    let mut ahead = Vec::new();
    for (path, text) in rust() {
        let Ok(inside) = path.strip_prefix("matcher/src") else { continue };
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let Some(at) = STAGES.iter().position(|stage| first.trim_end_matches(".rs") == *stage) else {
            continue;
        };
        for (number, line) in code_lines(&text) {
            for later in &STAGES[at + 1..] {
                if line.contains(&format!("crate::{later}::")) {
                    ahead.push(format!(
                        "{}:{number}: `{}` looks ahead to `{later}`",
                        path.display(),
                        STAGES[at]
                    ));
                }
            }
        }
    }
    assert!(ahead.is_empty(), "{ahead:#?}");
}

#[test]
fn the_proofs_have_one_maker_each() {
    // `Permit`, `Receipt` and `Passed` are promises: each is built in one file only.
    for (maker, home) in [
        ("Permit {", "server/src/authorise"),
        ("Receipt {", "server/src/audit"),
        ("Passed {", "matcher/src/quality"),
    ] {
        let mut elsewhere = Vec::new();
        for (path, text) in rust() {
            let domain = path.starts_with("server/src") || path.starts_with("matcher/src");
            let wire = path.starts_with("server/src/rpc") || path.starts_with("server/src/cli");
            if !domain || wire || path.to_string_lossy().starts_with(home) {
                continue;
            }
            for (number, line) in code_lines(&text) {
                let declares = ["struct ", "impl ", "for ", "-> ", "-> &"]
                    .iter()
                    .any(|word| line.contains(&format!("{word}{maker}")));
                if names(line, maker) && !declares && !line.contains(&format!("::{maker}")) {
                    elsewhere.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
        assert!(elsewhere.is_empty(), "`{maker}` is made outside `{home}`: {elsewhere:#?}");
    }
}

#[test]
fn a_log_that_records_nothing_is_in_no_shipped_crate() {
    // The seam for it is used by `benches` alone, on which nothing depends; every log of the service is the durable one.
    for (needle, may) in [
        ("AuditLog for", vec!["server/src/audit/file_log.rs", "benches/src/accountability/nothing.rs"]),
        ("run_behind(", vec!["server/src/serve.rs", "benches/src/accountability.rs"]),
        ("start_behind(", vec!["server/src/serve.rs"]),
        ("open_behind(", vec!["server/src/serve.rs", "server/src/service/open.rs"]),
    ] {
        let mut elsewhere = Vec::new();
        let mut seen = 0;
        for (path, text) in rust().into_iter().filter(|(path, _)| !path.starts_with("tests/rules")) {
            for (number, line) in code_lines(&text).filter(|(_, line)| line.contains(needle)) {
                seen += 1;
                if !may.iter().any(|home| path == Path::new(home)) {
                    elsewhere.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
        assert!(seen > 0, "`{needle}` appears nowhere: this rule checks nothing");
        assert!(elsewhere.is_empty(), "`{needle}` may appear only in {may:?}: {elsewhere:#?}");
    }
    // Inside the crate the seam is used with the identity only.
    let serve = fs::read_to_string(root().join("server/src/serve.rs")).unwrap();
    let open = fs::read_to_string(root().join("server/src/service/open.rs")).unwrap();
    assert_eq!(serve.matches("|log| log").count(), 2);
    assert_eq!(open.matches("|log| log").count(), 1);
}
