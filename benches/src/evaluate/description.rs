//! A run, described by a file: everything that its results depend on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::settings::Settings;

/// The only format of run files there is.
const FORMAT: u32 = 1;

/// A run file.
///
/// ```toml
/// format = 1
/// seed = 2026
/// pack = "face-api"
///
/// [verify]
/// pairs = "faces/pairs.csv"
/// images = "faces"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Always 1.
    pub format: u32,
    /// Seed of everything random. Up to 2^63 - 1, the largest number that TOML holds.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Name of the data set in reports. Default: the name of the folder or file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Model pack. For scores of others: the pack that they are of, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// An external matcher instead of a pack: the program and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<Vec<String>>,
    /// True when the faces were made by a generator. Reports say so.
    #[serde(default)]
    pub synthetic: bool,
    /// Labels of the people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demographics: Option<Demographics>,
    /// One-to-one, from images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// One-to-many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identify: Option<Identify>,
    /// Scores that somebody else made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// What to compute.
    #[serde(default)]
    pub evaluation: Settings,
}

fn default_seed() -> u64 {
    2026
}

/// Labels of people or images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demographics {
    /// CSV or Parquet manifest: a `subject` or `image` column, and the attributes (`attr.sex` or `sex`).
    pub file: PathBuf,
    /// Attributes to group by. Empty: all of the file's.
    #[serde(default)]
    pub attributes: Vec<String>,
}

/// One-to-one: a list of pairs and the images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The list, in any layout that the data set crate reads.
    pub pairs: PathBuf,
    /// The folder that its names are relative to. Not needed for `.bin` pair sets, which hold their images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PathBuf>,
    /// Layout of the list.
    #[serde(default)]
    pub layout: likeness_datasets::PairLayout,
}

/// One-to-many: who is enrolled, and who is searched for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identify {
    /// Folder per person, or a template file (`.npy`).
    pub gallery: PathBuf,
    /// Probes of people in the gallery.
    pub mated: PathBuf,
    /// Probes of people who are not.
    pub nonmated: PathBuf,
}

/// Scores that somebody else made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// CSV with the columns probe, reference, mated, score.
    pub scores: PathBuf,
    /// Whether rows make searches.
    #[serde(default)]
    pub searches: SearchesIn,
}

/// What the rows of one probe are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SearchesIn {
    /// A search of every reference, if every probe has a row with every reference; else only one-to-one.
    #[default]
    Auto,
    /// Nothing but comparisons.
    None,
}

impl Description {
    /// A run of nothing yet, with default settings.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            format: FORMAT,
            seed,
            name: None,
            pack: None,
            matcher: None,
            synthetic: false,
            demographics: None,
            verify: None,
            identify: None,
            score: None,
            evaluation: Settings::default(),
        }
    }

    /// Reads a run file. Relative paths in it are relative to its folder.
    ///
    /// # Errors
    /// When it cannot be read, or names what there is not.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut description: Self =
            toml::from_str(&text).with_context(|| format!("`{}` is not a run file", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        description.in_folder(folder)?;
        Ok(description)
    }

    /// The text of the run file that repeats this run.
    ///
    /// # Errors
    /// When the seed is larger than TOML's numbers.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        toml::to_string_pretty(self).context("the run cannot be described")
    }

    /// Makes paths absolute, so that the run file means the same wherever it is read.
    ///
    /// # Errors
    /// When the description asks for nothing, for several things, or for an absent file.
    pub fn in_folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        ensure!(
            self.format == FORMAT,
            "the run file has format {}; this version reads format {FORMAT}",
            self.format
        );
        let asked = [self.verify.is_some(), self.identify.is_some(), self.score.is_some()];
        match asked.iter().filter(|asked| **asked).count() {
            1 => {}
            0 => bail!("the run file has none of the tables [verify], [identify] and [score]"),
            _ => bail!("a run is one of [verify], [identify] and [score]; write a run file for each"),
        }
        ensure!(self.pack.is_none() || self.matcher.is_none(), "a run has a `pack` or a `matcher`, not both");
        self.evaluation.check()?;
        let mut paths: Vec<&mut PathBuf> = Vec::new();
        if let Some(verify) = &mut self.verify {
            paths.push(&mut verify.pairs);
            paths.extend(&mut verify.images);
        }
        if let Some(Identify { gallery, mated, nonmated }) = &mut self.identify {
            paths.extend([gallery, mated, nonmated]);
        }
        paths.extend(self.score.as_mut().map(|score| &mut score.scores));
        paths.extend(self.demographics.as_mut().map(|demographics| &mut demographics.file));
        for path in paths {
            let joined = folder.join(&*path);
            *path = joined.canonicalize().with_context(|| format!("cannot find `{}`", joined.display()))?;
        }
        Ok(())
    }

    /// The name for reports.
    #[must_use]
    pub fn dataset_name(&self) -> String {
        let path = self
            .verify
            .as_ref()
            .map(|verify| verify.images.as_ref().unwrap_or(&verify.pairs))
            .or(self.identify.as_ref().map(|identify| &identify.gallery))
            .or(self.score.as_ref().map(|score| &score.scores));
        let named = || path.and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        self.name.clone().or_else(named).unwrap_or_default()
    }

    /// What results depend on besides data and algorithm: the settings without places of files.
    ///
    /// # Errors
    /// Never for a description that could be written.
    pub fn settings_text(&self) -> anyhow::Result<String> {
        let searches = self.score.as_ref().map(|score| score.searches);
        Ok(serde_json::to_string(&(self.seed, self.synthetic, searches, &self.evaluation))?)
    }
}
