//! How close is certified-exact search to the speed of memory, and what do others need for the same answer?
//!
//! For each size of pool, in a process of its own: our index; a piece of memory as large as our codes, whose reading is
//! the limit; and the exact kinds of FAISS and `usearch`, which compare a probe with every row, some of them with rows
//! that were rounded. All are built of the same seeded templates ([`crate::gallery`]), and asked by turns. Half of the
//! probes are mated (another capture of somebody enrolled), half not. Every answer of ours is compared with the right
//! one, found another way (`search/oracle.rs`).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};

pub mod case;
mod contestants;
mod memory;
mod oracle;
mod ours;
mod rival;
mod tables;
pub mod turns;
#[cfg(feature = "usearch")]
mod usearch_exact;
pub mod writes;

pub use case::Case;
pub(crate) use contestants::{Built, LIMIT, OURS};
pub(crate) use oracle::{Oracle, Right, differences};
pub(crate) use ours::{Batch, Ours, Tier};
pub(crate) use rival::{Rival, by_probe, faiss_metric};
#[cfg(feature = "usearch")]
pub(crate) use usearch_exact::{Usearch, graph};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    rows: Vec<u64>,
    /// Dimensions: up to 128 are searched by Euclidean distance, more by cosine.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    dimensions: Vec<usize>,
    /// Where our full-precision templates lie.
    #[arg(long, value_enum, default_value = "fitting")]
    tier: TierChoice,
    /// Folder for the sealed file; by default the system's folder for temporary files.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    measure: Measure,
}

/// Where full-precision templates lie.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
pub enum TierChoice {
    /// In memory when they leave room for the others there, otherwise in a sealed file.
    Fitting,
    /// In memory.
    Memory,
    /// In a sealed file: the index then takes little more memory than its codes.
    Sealed,
}

/// What is asked.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
pub struct Measure {
    /// Subjects asked for; others are asked for as many rows.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Probes in a call, besides one; up to 256.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 256], value_parser = batch)]
    batches: Vec<usize>,
    /// Threads; numbers above that of the machine's cores are left out.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// Seconds that each contestant may spend on each question; each gets at least one turn.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
}

fn batch(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(probes @ 2..=256) => Ok(probes),
        _ => Err("a batch has 2 to 256 probes".to_owned()),
    }
}

/// Runs the measurements: one file per size.
///
/// # Errors
/// When an index refuses something, or the results cannot be written. A size that does not fit the machine is told and
/// left out.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut measure = options.measure.clone();
    measure.threads.retain(|&threads| (1..=cores).contains(&threads));
    for &rows in &options.rows {
        for &dimension in &options.dimensions {
            let circumstances = Circumstances::now(run.seed);
            let job = case::Job {
                rows,
                dimension,
                seed: run.seed,
                tier: options.tier,
                folder: options.folder.clone().unwrap_or_else(std::env::temp_dir),
                measure: measure.clone(),
            };
            match crate::child::in_a_process_of_its_own::<_, case::Case>("search-case", &job) {
                Ok(case) => {
                    let name = format!("search-{rows}x{dimension}");
                    report(run, &name, circumstances, &case, &tables::tables(&case))?;
                }
                Err(error) => eprintln!("search: {rows} x {dimension} is left out: {error:#}"),
            }
        }
    }
    Ok(())
}

/// The measuring process.
///
/// # Errors
/// When an index refuses something.
pub fn run_case() -> anyhow::Result<()> {
    crate::child::answer(&case::measure(&crate::child::job()?)?)
}
