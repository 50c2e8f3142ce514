//! Puts a run folder's results into the README as one page of tables and plots, so that nobody copies numbers by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{agreement::Agreement, approximate, changes::Changes, pipeline, search, service};

mod accountability;
mod approximations;
mod expiry;
mod searches;
mod services;

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

/// Replaces the marked section, and draws the plots into the run folder.
///
/// # Errors
/// When the run folder holds no results, or the file has no marked section.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let readme = fs::read_to_string(&options.file)
        .with_context(|| format!("cannot read `{}`", options.file.display()))?;
    let results = Results::read(&options.run)?;
    let from = options.file.parent().unwrap_or(Path::new(""));
    let shown = options.run.strip_prefix(from).unwrap_or(&options.run).display().to_string();
    let page = Page { folder: &options.run, shown: &shown };
    let mut text = results.circumstances();
    text += &searches::section(&page, &results)?;
    text += &approximations::section(&page, &results)?;
    text += &services::section(&page, &results)?;
    text += &accountability::section(&results);
    text += &expiry::section(&results);
    let replaced = replace(&readme, &text)
        .with_context(|| format!("`{}` has no marked section", options.file.display()))?;
    fs::write(&options.file, replaced).with_context(|| format!("cannot write `{}`", options.file.display()))
}

/// Where plots go, and where the page finds them.
struct Page<'a> {
    folder: &'a Path,
    shown: &'a str,
}

/// What a file of a run folder holds, as far as the page tells it.
#[derive(Deserialize)]
struct Recorded<T> {
    circumstances: Told,
    results: T,
}

#[derive(Clone, Deserialize)]
struct Told {
    began: jiff::Timestamp,
    processor: String,
    cores: usize,
    memory_gib: u64,
    load_before: Option<f64>,
    commit: String,
    seed: u64,
}

#[derive(Default)]
struct Results {
    told: Vec<(String, Told)>,
    searches: Vec<search::Case>,
    agreement: Vec<Agreement>,
    changes: Vec<Changes>,
    approximate: Vec<approximate::Case>,
    pipeline: Option<pipeline::Results>,
    services: Vec<service::Results>,
    enrol: Option<serde_json::Value>,
    accountability: Option<serde_json::Value>,
    authority: Option<serde_json::Value>,
    refusals: Option<serde_json::Value>,
    expiry: Option<serde_json::Value>,
}

impl Results {
    fn read(run: &Path) -> anyhow::Result<Self> {
        let mut results = Self::default();
        let mut names: Vec<PathBuf> = fs::read_dir(run)
            .with_context(|| format!("cannot list `{}`", run.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        names.sort();
        for path in &names {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match name.split('-').next().unwrap_or_default() {
                "search" => {
                    let told = results.told_by(path, &name)?;
                    results.searches.push(told);
                }
                "agreement" => results.agreement = results.told_by(path, &name)?,
                "changes" => results.changes = results.told_by(path, &name)?,
                "approximate" => {
                    let told = results.told_by(path, &name)?;
                    results.approximate.push(told);
                }
                "pipeline" => results.pipeline = Some(results.told_by(path, &name)?),
                "service" => {
                    let told = results.told_by(path, &name)?;
                    results.services.push(told);
                }
                "enrol" => results.enrol = Some(results.told_by(path, &name)?),
                "accountability" => results.accountability = Some(results.told_by(path, &name)?),
                "authority" => results.authority = Some(results.told_by(path, &name)?),
                "expiry" => results.expiry = Some(results.told_by(path, &name)?),
                "refusals" => results.refusals = Some(results.told_by(path, &name)?),
                _ => {}
            }
        }
        ensure!(!results.told.is_empty(), "`{}` holds no results; run the benchmarks first", run.display());
        results.searches.sort_by_key(|case| (case.dimension, case.rows));
        results.approximate.sort_by_key(|case| (case.dimension, case.rows));
        results.services.sort_by_key(|service| service.gallery);
        Ok(results)
    }

    /// What a file holds; its circumstances are noted.
    fn told_by<T: DeserializeOwned>(&mut self, path: &Path, name: &str) -> anyhow::Result<T> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let recorded: Recorded<T> = serde_json::from_str(&text)
            .with_context(|| format!("`{}` was written by another version; run it again", path.display()))?;
        self.told.push((name.to_owned(), recorded.circumstances));
        Ok(recorded.results)
    }

    fn circumstances(&self) -> String {
        let Some((_, first)) = self.told.first() else { return String::new() };
        let mut commits: Vec<&str> = self.told.iter().map(|(_, told)| told.commit.as_str()).collect();
        commits.dedup();
        let busiest = self
            .told
            .iter()
            .filter_map(|(name, told)| Some((told.load_before?, name)))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let busiest = busiest.map_or_else(String::new, |(load, name)| {
            format!("; load of the machine before a run at most {load:.1} (`{name}`)")
        });
        format!(
            "{}, {} cores, {} GiB; {}; commit {}; seed {}{busiest}.\n\n",
            first.processor,
            first.cores,
            first.memory_gib,
            first.began.strftime("%F"),
            commits.join(", "),
            first.seed,
        )
    }
}

/// A Markdown table.
fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(columns.iter().map(|&name| name.to_owned()).collect());
    text += &line(
        columns.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }.to_owned()).collect(),
    );
    for row in rows {
        text += &line(row.clone());
    }
    text + "\n"
}

/// A number of rows as people say it.
fn rows_said(rows: u64) -> String {
    match rows {
        rows if rows >= 1_000_000 && rows.is_multiple_of(100_000) => format!("{} M", rows as f64 / 1e6),
        rows if rows >= 1_000 => format!("{} k", rows / 1_000),
        rows => rows.to_string(),
    }
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

    #[test]
    fn rows_are_said_shortly() {
        assert_eq!([100_000, 1_000_000, 19_000_000, 64].map(rows_said), ["100 k", "1 M", "19 M", "64"]);
    }

    #[test]
    fn a_folder_without_results_is_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(Results::read(folder.path()).is_err());
        fs::write(folder.path().join("search-1x1.json"), "{}")?;
        assert!(
            Results::read(folder.path()).is_err_and(|error| error.to_string().contains("another version"))
        );
        Ok(())
    }
}
