//! Documents stay true: links lead somewhere, each crate answers its question, the house files exist.
use std::fs;

use crate::tree::{files, root};

/// Relative link targets in a Markdown text, code blocks left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some(target) = part.split(')').next() {
                let target = target.split('#').next().unwrap_or_default();
                if !target.is_empty() && !target.contains("://") {
                    found.push(target.to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn relative_links_lead_to_files() {
    let mut dead = Vec::new();
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"))
    {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        for link in links(&text) {
            let target = root().join(&path).parent().unwrap().join(&link);
            if !target.exists() {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_crate_has_a_readme_that_the_root_links() {
    let front = fs::read_to_string(root().join("README.md")).unwrap()
        + &fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for folder in ["proto", "models", "matcher", "server", "datasets", "benches", "tests"] {
        let readme = fs::read_to_string(root().join(folder).join("README.md"))
            .unwrap_or_else(|_| panic!("`{folder}/README.md` is missing"));
        assert!(
            readme.to_lowercase().contains("useful for"),
            "`{folder}/README.md` does not say what it is useful for"
        );
        assert!(
            front.contains(&format!("]({folder}/README.md)")),
            "neither README.md nor ARCHITECTURE.md links `{folder}/README.md`"
        );
    }
}
