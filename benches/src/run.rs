//! A run folder: what was measured, under which circumstances, as JSON and as a table.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::machine::Circumstances;
use crate::table::Table;

/// What every subcommand takes.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// Seed of everything random.
    #[arg(long, global = true, default_value_t = 2026)]
    pub seed: u64,
    /// Folder in which the run's own folder (`<date>-<name>`) is made.
    #[arg(long, global = true, default_value = "benches/runs", value_name = "FOLDER")]
    pub runs: PathBuf,
    /// Name of the machine in the folder's name; keep it neutral. Default: the number of cores.
    #[arg(long, global = true)]
    pub name: Option<String>,
    /// Print only; write no files.
    #[arg(long, global = true)]
    pub dry: bool,
}

#[derive(Serialize)]
struct Record<'a, T> {
    question: &'a str,
    circumstances: &'a Circumstances,
    results: &'a T,
}

/// Prints the tables, and writes them and the results under `<runs>/<date>-<name>/<question>.{md,json}`.
///
/// # Errors
/// When the files cannot be written.
pub fn report<T: Serialize>(
    options: &RunOptions,
    question: &str,
    mut circumstances: Circumstances,
    results: &T,
    tables: &[Table],
) -> anyhow::Result<()> {
    circumstances.end();
    let Circumstances { began, processor, cores, memory_gib, load_before, commit, seed, command, .. } =
        &circumstances;
    let mut text = format!(
        "# {question}\n\n{processor}, {cores} cores, {memory_gib} GiB; commit {commit}; {}; seed {seed}; \
         load before {}.\n\n`likeness-bench {}`\n",
        began.strftime("%F %R UTC"),
        load_before.map_or_else(|| "not known".to_owned(), |load| format!("{load:.2}")),
        command.join(" "),
    );
    for table in tables {
        text.push('\n');
        text.push_str(&table.markdown());
    }
    println!("{text}");
    if options.dry {
        return Ok(());
    }
    let name = options.name.clone().unwrap_or_else(|| format!("{cores}-cores"));
    let folder = options.runs.join(format!("{}-{name}", began.strftime("%F")));
    let write = |extension: &str, content: &str| {
        let path = folder.join(format!("{question}.{extension}"));
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let record = Record { question, circumstances: &circumstances, results };
    write("json", &(serde_json::to_string_pretty(&record)? + "\n"))?;
    write("md", &text)?;
    println!("written to {}", folder.display());
    Ok(())
}
