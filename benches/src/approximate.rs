//! What do approximate indexes win, and what do they lose?
//!
//! An inverted file (FAISS IVF) and neighbourhood graphs (HNSW, of FAISS and of `usearch`) look at a part of the rows
//! only; how large a part is a setting. Each setting is asked the same probes as our index, by turns; what share of the
//! right rows it finds is told for mated probes, and for those of people who are not enrolled, apart: an
//! investigator reads both lists. Graphs take long to build, so they are measured with fewer templates.
//!
//! Our own compressed index, which a pool is searched with only when an operator asks for it, is among them: it looks at
//! every row, but at a few bits of it.

use clap::Args;
use likeness_models::Metric;
use serde::{Deserialize, Serialize};

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::search::writes::Removal;
use crate::table::Table;
use crate::timing::Spread;

mod case;
mod compressed;
mod kinds;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates for inverted files; 0 leaves them out.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000])]
    rows: Vec<u64>,
    /// Templates for graphs; 0 leaves them out.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000])]
    graph_rows: Vec<u64>,
    /// Templates for our compressed index; 0 leaves it out.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000])]
    compressed_rows: Vec<u64>,
    /// Dimensions: up to 128 are searched by Euclidean distance, more by cosine.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    dimensions: Vec<usize>,
    /// Rows asked for.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// One size: ours, and others beside it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Case {
    /// Templates.
    pub rows: u64,
    /// Values per template.
    pub dimension: usize,
    /// How they compare.
    pub metric: Metric,
    /// Rows asked for.
    pub limit: usize,
    /// Seconds to build our index.
    pub ours_build_seconds: f64,
    /// Memory of our index per template.
    pub ours_bytes_per_template: f64,
    /// The others.
    pub kinds: Vec<Kind>,
}

/// One approximate index.
#[derive(Debug, Deserialize, Serialize)]
pub struct Kind {
    /// What it is.
    pub name: String,
    /// What its setting is called.
    pub setting: String,
    /// Seconds to build it on one thread, learning included.
    pub build_seconds: f64,
    /// Memory per template.
    pub bytes_per_template: f64,
    /// How fast it forgets; or why it does not.
    pub removal: Result<Removal, String>,
    /// One measurement per value of the setting.
    pub points: Vec<Point>,
}

/// One value of the setting.
#[derive(Debug, Deserialize, Serialize)]
pub struct Point {
    /// The value.
    pub value: usize,
    /// One probe, one thread.
    pub one: Spread,
    /// Ours on the same probes, by turns.
    pub ours_one: Spread,
    /// Milliseconds per probe of a batch of 256, one thread; median.
    pub batch_ms: f64,
    /// Ours, by turns.
    pub ours_batch_ms: f64,
    /// Share of the right rows that it finds: of the first 10 and 50, for mated probes and others.
    pub recall: [f64; 4],
}

impl Point {
    /// Finds at least 999 of 1,000 of the right first ten, whoever the probe is of.
    #[must_use]
    pub fn finds_nearly_all(&self) -> bool {
        self.recall[0] >= 0.999 && self.recall[2] >= 0.999
    }
}

/// Indexes that are built and measured beside each other.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
enum Family {
    Inverted,
    Graphs,
    Compressed,
}

impl Family {
    const fn name(self) -> &'static str {
        match self {
            Self::Inverted => "inverted",
            Self::Graphs => "graphs",
            Self::Compressed => "compressed",
        }
    }
}

/// Runs the measurements: one file per size.
///
/// # Errors
/// When an index refuses something, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let sizes = [
        (Family::Inverted, &options.rows),
        (Family::Graphs, &options.graph_rows),
        (Family::Compressed, &options.compressed_rows),
    ];
    let sizes = sizes.into_iter().flat_map(|(family, sizes)| sizes.iter().map(move |&rows| (rows, family)));
    for (rows, family) in sizes.filter(|(rows, _)| *rows > 0) {
        for &dimension in &options.dimensions {
            let circumstances = Circumstances::now(run.seed);
            let job = case::Job { rows, dimension, family, limit: options.limit, seed: run.seed };
            let case: Case = crate::child::in_a_process_of_its_own("approximate-case", &job)?;
            report(
                run,
                &format!("approximate-{}-{rows}x{dimension}", family.name()),
                circumstances,
                &case,
                &tables(&case),
            )?;
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

fn tables(case: &Case) -> Vec<Table> {
    let title = format!(
        "{} templates x {}, {}: one thread, median ms per probe",
        case.rows,
        case.dimension,
        format!("{:?}", case.metric).to_lowercase()
    );
    let columns = [
        "index",
        "setting",
        "one probe",
        "ours",
        "batch of 256",
        "ours",
        "recall@10 mated",
        "@50",
        "@10 others",
        "@50",
    ];
    let mut points = Table::new(&title, &columns);
    let mut costs = Table::new(
        "What they cost",
        &["index", "built in (s)", "bytes per template", "remove one (ms)", "removed rows/s"],
    );
    costs.row(vec![
        "ours".to_owned(),
        format!("{:.1}", case.ours_build_seconds),
        format!("{:.0}", case.ours_bytes_per_template),
    ]);
    for kind in &case.kinds {
        for point in &kind.points {
            let mut cells = vec![kind.name.clone(), format!("{} {}", kind.setting, point.value)];
            let times = [point.one.median_ms, point.ours_one.median_ms, point.batch_ms, point.ours_batch_ms];
            cells.extend(times.map(|ms| format!("{ms:.3}")));
            cells.extend(point.recall.map(|share| format!("{share:.4}")));
            points.row(cells);
        }
        let mut cells = vec![
            kind.name.clone(),
            format!("{:.1}", kind.build_seconds),
            format!("{:.0}", kind.bytes_per_template),
        ];
        match &kind.removal {
            Ok(removal) => {
                cells.push(format!("{:.2}", removal.one_ms));
                cells.push(format!("{:.0}", removal.many_rows_per_s));
            }
            Err(reason) => cells.push(reason.clone()),
        }
        costs.row(cells);
    }
    vec![points, costs]
}
