//! Puts the tables of a run folder into the README, so that nobody copies numbers by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

/// The order of the questions in the README.
const QUESTIONS: [&str; 4] = ["pipeline", "index", "enrol", "service"];

const BEGIN: &str = "<!-- tables of a run folder, written by `likeness-bench readme`: begin -->\n";
const END: &str = "<!-- tables of a run folder: end -->\n";

/// Which run, which file.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A run folder: `benches/runs/<date>-<name>`.
    run: PathBuf,
    /// The file whose marked section is replaced.
    #[arg(long, default_value = "benches/README.md", value_name = "FILE")]
    file: PathBuf,
}

/// Replaces the marked section.
///
/// # Errors
/// When the run folder holds no tables, or the file has no marked section.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let readme = fs::read_to_string(&options.file)
        .with_context(|| format!("cannot read `{}`", options.file.display()))?;
    let tables = section(&options.run)?;
    let replaced = replace(&readme, &tables)
        .with_context(|| format!("`{}` has no marked section", options.file.display()))?;
    fs::write(&options.file, replaced).with_context(|| format!("cannot write `{}`", options.file.display()))
}

fn section(run: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for question in QUESTIONS {
        if let Ok(tables) = fs::read_to_string(run.join(format!("{question}.md"))) {
            // Headings go two levels down: the README has its own.
            for line in tables.lines() {
                text.push_str(if line.starts_with('#') { "##" } else { "" });
                text.push_str(line);
                text.push('\n');
            }
            text.push('\n');
        }
    }
    ensure!(!text.is_empty(), "`{}` holds no tables; run the benchmarks first", run.display());
    Ok(text)
}

fn replace(readme: &str, tables: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_section_is_replaced() {
        let readme = format!("before\n{BEGIN}old\n{END}after\n");
        let once = replace(&readme, "new\n\n").unwrap_or_default();
        assert_eq!(once, format!("before\n{BEGIN}\nnew\n\n{END}after\n"));
        assert_eq!(replace(&once, "new\n\n"), Some(once.clone()));
        assert_eq!(replace("no markers", "new"), None);
    }
}
