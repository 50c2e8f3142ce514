//! The tester's subcommands: each makes a description and runs it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use likeness_datasets::PairLayout;

use super::description::{self, Demographics, Description, SearchesIn};
use super::record::Metrics;
use super::{audit, compare, identify, score, speed, template_file, verify};
use crate::gallery::Gallery;

/// What every run takes.
#[derive(Args, Clone, Debug)]
pub struct About {
    /// Folder for the results; has to be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Model pack.
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// An external matcher instead of a pack: program and arguments, up to the end of the line.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, conflicts_with = "pack", value_name = "PROGRAM")]
    matcher: Option<Vec<String>>,
    /// Name of the data set in the report. Default: the name of its folder or file.
    #[arg(long, value_name = "TEXT")]
    dataset_name: Option<String>,
    /// The faces were made by a generator; the report says so.
    #[arg(long)]
    synthetic: bool,
    /// Labels of people or images: CSV or Parquet with a subject and an image column and attributes.
    #[arg(long, value_name = "FILE")]
    demographics: Option<PathBuf>,
    /// Attributes to group by. Default: all of the file's.
    #[arg(long, value_delimiter = ',', requires = "demographics", value_name = "NAME")]
    attributes: Vec<String>,
    /// Threshold to state rates at, besides the pack's own; may be repeated.
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    threshold: Vec<f64>,
    /// Errors to be expected at a rate before a threshold for it is stated.
    #[arg(long, default_value_t = crate::metrics::MINIMUM_EVENTS, value_name = "COUNT")]
    minimum_events: u64,
    /// Candidates per search.
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    list_length: u32,
}

impl About {
    fn description(&self, seed: u64) -> Description {
        let mut description = Description::new(seed);
        description.name.clone_from(&self.dataset_name);
        description.pack.clone_from(&self.pack);
        description.matcher.clone_from(&self.matcher);
        description.synthetic = self.synthetic;
        description.demographics =
            self.demographics.clone().map(|file| Demographics { file, attributes: self.attributes.clone() });
        description.evaluation.thresholds.clone_from(&self.threshold);
        description.evaluation.minimum_events = self.minimum_events;
        description.evaluation.list_length = self.list_length;
        description
    }
}

/// `verify` and `quality`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// List of pairs.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Folder that the list's names are relative to. Default: the list's own.
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// Layout of the list: auto, csv, lfw, insightface-bin, cfp, agedb, ijb.
    #[arg(long, default_value = "auto")]
    layout: PairLayout,
    #[command(flatten)]
    about: About,
}

impl Verify {
    /// Runs it.
    ///
    /// # Errors
    /// When inputs or the output folder are not what they should be.
    pub fn run(&self, seed: u64) -> anyhow::Result<Metrics> {
        let mut description = self.about.description(seed);
        description.pack = in_use(&description);
        description.verify = Some(description::Verify {
            pairs: self.pairs.clone(),
            images: self.images.clone(),
            layout: self.layout,
        });
        execute(description, Path::new("."), &self.about.out)
    }

    /// Runs it, and prints what setting aside the worst images brings.
    ///
    /// # Errors
    /// As [`Verify::run`].
    pub fn run_quality(&self, seed: u64) -> anyhow::Result<()> {
        let metrics = self.run(seed)?;
        let columns = ["measure", "none", "10 %", "20 %", "40 %", "ideal at 20 %"];
        let mut table =
            crate::table::Table::new("Miss rate of the rest, when the worst are set aside", &columns);
        for curve in &metrics.quality {
            let at = |share: f64| curve.points.iter().find(|point| (point.discarded - share).abs() < 1e-9);
            let rate = |share: f64| {
                at(share).map_or_else(String::new, |point| {
                    format!(
                        "{:.4} ({} of {})",
                        point.below as f64 / point.left.max(1) as f64,
                        point.below,
                        point.left
                    )
                })
            };
            let ideal = at(0.2).map_or_else(String::new, |point| format!("{:.4}", point.ideal));
            table.row(vec![curve.component.clone(), rate(0.0), rate(0.1), rate(0.2), rate(0.4), ideal]);
        }
        println!("{}", table.markdown());
        Ok(())
    }
}

/// `identify`.
#[derive(Args, Clone, Debug)]
pub struct Identify {
    /// People to search among: a folder per person, a manifest (.csv, .parquet), a sigset (.xml) or templates (.npy).
    #[arg(long, value_name = "FOLDER")]
    gallery: PathBuf,
    /// Other images of people in the gallery.
    #[arg(long, value_name = "FOLDER")]
    mated: PathBuf,
    /// Images of people who are not in the gallery.
    #[arg(long, value_name = "FOLDER")]
    nonmated: PathBuf,
    #[command(flatten)]
    about: About,
}

impl Identify {
    /// Runs it.
    ///
    /// # Errors
    /// When inputs or the output folder are not what they should be.
    pub fn run(&self, seed: u64) -> anyhow::Result<()> {
        let mut description = self.about.description(seed);
        let templates = self.gallery.extension().is_some_and(|ending| ending == "npy");
        if !templates {
            description.pack = in_use(&description);
        }
        let Self { gallery, mated, nonmated, .. } = self.clone();
        description.identify = Some(description::Identify { gallery, mated, nonmated });
        execute(description, Path::new("."), &self.about.out).map(drop)
    }
}

/// `score`.
#[derive(Args, Clone, Debug)]
pub struct Score {
    /// CSV with the columns probe, reference, mated (0 or 1) and score.
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
    /// Whether a probe's rows are a search. `auto`: when every probe was compared with every reference.
    #[arg(long, value_enum, default_value = "auto")]
    searches: SearchesIn,
    #[command(flatten)]
    about: About,
}

impl Score {
    /// Runs it.
    ///
    /// # Errors
    /// When inputs or the output folder are not what they should be.
    pub fn run(&self, seed: u64) -> anyhow::Result<()> {
        let mut description = self.about.description(seed);
        description.score = Some(description::Score { scores: self.scores.clone(), searches: self.searches });
        execute(description, Path::new("."), &self.about.out).map(drop)
    }
}

/// `run`.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// The run file. Its paths are relative to its folder.
    file: PathBuf,
    /// Folder for the results; has to be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Run {
    /// Runs it.
    ///
    /// # Errors
    /// When the file, its inputs or the output folder are not what they should be.
    pub fn run(&self) -> anyhow::Result<()> {
        let description = Description::read(&self.file)?;
        execute(description, Path::new("."), &self.out).map(drop)
    }
}

/// Runs a description into a folder.
///
/// # Errors
/// When the description, its inputs or the output folder are not what they should be.
pub fn execute(mut description: Description, relative_to: &Path, out: &Path) -> anyhow::Result<Metrics> {
    description.in_folder(relative_to)?;
    if let Some(asked) = &description.verify {
        verify::run(&description, asked, out)
    } else if let Some(asked) = &description.identify {
        identify::run(&description, asked, out)
    } else {
        let asked = description.score.as_ref().context("the run asks for nothing")?;
        score::run(&description, asked, out)
    }
}

/// The pack of a run on images: stated in its description even when it is the default one.
fn in_use(description: &Description) -> Option<String> {
    match &description.matcher {
        Some(_) => None,
        None => Some(description.pack.clone().unwrap_or_else(|| likeness_models::DEFAULT_PACK.to_owned())),
    }
}

/// `compare`.
#[derive(Args, Clone, Debug)]
pub struct Compare {
    /// Run folder of the algorithm in use.
    champion: PathBuf,
    /// Run folder of the one that might replace it.
    challenger: PathBuf,
    /// The page to write; has to be new.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Compare {
    /// Runs it.
    ///
    /// # Errors
    /// When a folder is not complete, the runs are not on the same data, or the page cannot be written.
    pub fn run(&self) -> anyhow::Result<()> {
        compare::run(&self.champion, &self.challenger, &self.out)
    }
}

/// `report`.
#[derive(Args, Clone, Debug)]
pub struct Report {
    /// A complete run folder.
    folder: PathBuf,
    /// Write the page of this version of the program here. Default: only check, and print where things are.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    /// Runs it.
    ///
    /// # Errors
    /// When the folder is not complete or was changed, or the page cannot be written.
    pub fn run(&self) -> anyhow::Result<()> {
        compare::report(&self.folder, self.out.as_deref())
    }
}

/// `audit`.
#[derive(Args, Clone, Debug)]
pub struct Audit {
    /// A complete run folder.
    folder: PathBuf,
    /// Rows of each kind.
    #[arg(long, default_value_t = 50)]
    most: usize,
    /// CSV to write; has to be new. Default: only print.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Audit {
    /// Runs it.
    ///
    /// # Errors
    /// When the folder is not complete or was changed.
    pub fn run(&self) -> anyhow::Result<()> {
        audit::run(&self.folder, self.most, self.out.as_deref())
    }
}

/// `speed`.
#[derive(Args, Clone, Debug)]
pub struct Speed {
    /// Images: a folder per person, or any labelled set that `identify` takes.
    #[arg(long, value_name = "FOLDER")]
    images: PathBuf,
    /// Images that are timed, at most.
    #[arg(long, default_value_t = 200)]
    most: usize,
    /// People in the gallery for the search; more than there are images for are made-up templates.
    #[arg(long, default_value_t = 100_000)]
    gallery: u32,
    #[command(flatten)]
    about: About,
}

impl Speed {
    /// Runs it.
    ///
    /// # Errors
    /// When inputs or the output folder are not what they should be.
    pub fn run(&self, seed: u64) -> anyhow::Result<()> {
        let mut description = self.about.description(seed);
        description.pack = in_use(&description);
        speed::run(&description, &self.images, self.most, self.gallery, &self.about.out)
    }
}

/// `templates`.
#[derive(Args, Clone, Debug)]
pub struct Templates {
    /// Folder for `gallery.npy`, `mated.npy` and `nonmated.npy`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// People in the gallery, one reference each.
    #[arg(long)]
    people: u64,
    /// Probes of people in it.
    #[arg(long)]
    mated: u64,
    /// Probes of people not in it.
    #[arg(long)]
    nonmated: u64,
    /// Values of a template.
    #[arg(long, default_value_t = 128)]
    dimension: usize,
}

impl Templates {
    /// Runs it.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn run(&self, seed: u64) -> anyhow::Result<()> {
        let Self { people, mated, nonmated, dimension, .. } = *self;
        anyhow::ensure!(mated <= people, "{mated} mated probes need as many people; there are {people}");
        anyhow::ensure!((1..=65_536).contains(&dimension), "a template has 1 to 65,536 values");
        let made = Gallery::new(seed, dimension);
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make `{}`", self.out.display()))?;
        let bar = super::progress::bar("making templates", people + mated + nonmated);
        let write = |name: &str, count: u64, of: &dyn Fn(u64) -> (String, Vec<f32>)| -> anyhow::Result<()> {
            let path = self.out.join(name);
            let mut writer =
                template_file::TemplateWriter::create(&path, usize::try_from(count)?, dimension)?;
            for number in 0..count {
                let (subject, values) = of(number);
                writer.push(&subject, &values)?;
                bar.inc(1);
            }
            writer.finish()
        };
        write("gallery.npy", people, &|n| (format!("p{n}"), made.reference_of(n)))?;
        // Spread over the gallery, so that no size of it is without mates.
        let mate = |n: u64| n * (people / mated.max(1)).max(1);
        write("mated.npy", mated, &|n| (format!("p{}", mate(n)), made.mated_probe(mate(n))))?;
        write("nonmated.npy", nonmated, &|n| (format!("stranger{n}"), made.other_probe(n)))?;
        bar.finish_and_clear();
        println!("{people} people, {mated} mated and {nonmated} non-mated probes in {}", self.out.display());
        Ok(())
    }
}
