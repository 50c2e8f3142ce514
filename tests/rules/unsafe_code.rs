//! Rules about `unsafe`: in which files it may be, that each of them says why it is sound, and that they are proved.
use std::{fs, path::Path};

use crate::tree::{code_lines, root, rust};

/// The files that may contain `unsafe`, and what for. One more is a decision: it needs a reason why safe code or a library
/// cannot do the same, tests that `scripts/kernels` runs, and a row in ARCHITECTURE.md, "Unsafe code".
const MAY: [(&str, &str); 10] = [
    (
        "benches/src/search/memory.rs",
        "prefetch, large pages and detected instructions: the limit to measure against",
    ),
    ("matcher/src/index/certified/kernel.rs", "calls what is compiled for detected instructions"),
    ("matcher/src/index/certified/kernel/amx.rs", "instructions without stable functions"),
    ("matcher/src/index/certified/kernel/avx2.rs", "vector loads and stores"),
    ("matcher/src/index/certified/kernel/avx512.rs", "vector loads and stores"),
    (
        "matcher/src/index/certified/kernel/bands.rs",
        "memory on large pages that blocks share, codes beside weights",
    ),
    ("matcher/src/index/certified/kernel/neon.rs", "vector loads and stores"),
    ("matcher/src/index/flat/threads.rs", "the one call into OpenMP, which has no wrapper"),
    ("matcher/src/runtime/split/kernel.rs", "calls what is compiled for detected instructions"),
    ("matcher/src/runtime/split/kernel/avx512.rs", "vector loads and stores"),
];

/// Not in the extracted crate of `scripts/kernels`: a foreign function that takes an integer.
const NOT_RUN: &str = "matcher/src/index/flat/threads.rs";

/// Lines with the word `unsafe`, or the lint's name, outside of comments. `unsafe-inline`, of a web page, is another word.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '-';
    let is_code = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.match_indices("unsafe").any(|(at, word)| {
            let after = &code[at + word.len()..];
            let lint = after.starts_with("_code");
            !code[..at].ends_with(|letter: char| part_of_word(letter) || letter == '_')
                && (lint || !after.starts_with(|letter: char| part_of_word(letter) || letter == '_'))
        })
    };
    code_lines(text).filter(|(_, line)| is_code(line)).map(|(number, _)| number).collect()
}

#[test]
fn unsafe_code_is_found_and_nothing_else() {
    for found in [
        "unsafe { x() }",
        "  unsafe impl Send for X {}",
        "#![allow(unsafe_code)]",
        "pub unsafe fn x()",
        "unsafe",
    ] {
        assert_eq!(unsafe_lines(found), [1], "{found}");
    }
    for not in
        ["// unsafe {", "x(); // unsafe", "style-src 'unsafe-inline'", "fn unsafely()", "let not_unsafe = 1;"]
    {
        assert!(unsafe_lines(not).is_empty(), "{not}");
    }
}

#[test]
fn unsafe_code_is_in_the_listed_files_alone() {
    let mut found = Vec::new();
    let mut elsewhere = Vec::new();
    for (path, text) in rust().into_iter().filter(|(path, _)| !path.starts_with("tests/rules")) {
        let lines = unsafe_lines(&text);
        if lines.is_empty() {
            continue;
        }
        if MAY.iter().any(|(may, _)| Path::new(may) == path) {
            found.push(path);
        } else {
            elsewhere.push(format!("{}:{lines:?}", path.display()));
        }
    }
    assert!(elsewhere.is_empty(), "`unsafe` may be in the files of `MAY` alone: {elsewhere:#?}");
    for (may, _) in MAY {
        assert!(
            found.iter().any(|path| path == Path::new(may)),
            "`{may}` has no `unsafe` (any more): take it off"
        );
    }
}

#[test]
fn unsafe_code_carries_its_argument() {
    let mut bare = Vec::new();
    for (path, text) in rust().into_iter().filter(|(path, _)| !path.starts_with("tests/rules")) {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in code_lines(&text) {
            if ["unsafe {", "unsafe impl", "unsafe fn", "unsafe extern"]
                .iter()
                .any(|opens| line.contains(opens))
            {
                let before = &lines[number.saturating_sub(6)..number];
                if !before.iter().any(|line| line.contains("SAFETY:")) {
                    bare.push(format!("{}:{number}", path.display()));
                }
            }
        }
    }
    assert!(bare.is_empty(), "`unsafe` without `// SAFETY:` above it: {bare:#?}");
}

#[test]
fn every_crate_denies_unsafe_code() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\nunsafe_code = \"deny\"\n"), "the workspace does not deny `unsafe_code`");
    for member in ["proto", "models", "matcher", "server", "datasets", "benches", "tests"] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true\n"),
            "`{member}` does not take the workspace's lints"
        );
    }
}

#[test]
fn unsafe_code_is_documented_and_proved() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) =
        page.split_once("\n## Unsafe code\n").expect("ARCHITECTURE.md has a section on unsafe code");
    let section = section.split("\n## ").next().unwrap_or_default();
    let script = fs::read_to_string(root().join("scripts/kernels")).unwrap();
    for (file, _) in MAY {
        assert!(
            section.contains(&format!("`{file}`")),
            "ARCHITECTURE.md does not say why `{file}` is unsafe, and how proved"
        );
        // The script copies the index as a folder, and what else there is by name.
        let copied = script.contains(file) || file.starts_with("matcher/src/index/certified/") || {
            let folder = Path::new(file).parent().unwrap().display().to_string();
            folder.ends_with("/kernel") && script.contains(&folder)
        };
        assert!(copied != (file == NOT_RUN), "does `scripts/kernels` run `{file}`?");
    }
}
