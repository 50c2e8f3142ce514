//! Who is enrolled in which order, where the templates are, and who is searched for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::ensure;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::groups::Groups;
use super::record::Counts;
use super::template_file::TemplateFile;

/// Gallery sizes that are measured on their own, at most.
const MOST_SIZES: usize = 8;

/// Where templates are.
pub enum Store {
    /// In memory.
    Memory(Vec<Vec<u8>>),
    /// In a file.
    File(TemplateFile),
}

impl Store {
    /// One of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template(&self, row: usize) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Memory(templates) => Ok(templates[row].clone()),
            Self::File(file) => file.template(row),
        }
    }
}

/// A probe.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// Name for score files.
    pub name: String,
    /// Number of the person, for labels and draws.
    pub person: u32,
    /// Place of the mate in the order of enrolment; `None`: not enrolled.
    pub mate: Option<u32>,
    /// The template; `None`: no template was made.
    pub template: Option<Vec<u8>>,
    /// Why there is none.
    pub refusal: Option<String>,
    /// Mapped quality, in the order of [`Plan::quality_names`]; empty where not told.
    pub quality: Vec<u8>,
}

/// Everything that searching needs.
pub struct Plan {
    /// Names of the subjects in the order of enrolment: drawn by the seed, so that a part of the gallery is like the whole.
    pub subjects: Vec<String>,
    /// Subject's place and row in the store, ascending: the templates of a subject are together.
    pub rows: Vec<(u32, usize)>,
    /// Gallery templates.
    pub store: Store,
    /// Mated and non-mated.
    pub probes: Vec<Probe>,
    /// Names of the quality measures of probes.
    pub quality_names: Vec<String>,
    /// Labels by person.
    pub groups: Groups,
    /// Images and failures.
    pub counts: Counts,
    /// Digest of everything that was read.
    pub digest: String,
    /// Files that were read.
    pub files: u64,
    /// True when the data set says that it is synthetic.
    pub synthetic: bool,
}

/// Places of subjects in an order drawn by the seed.
#[must_use]
pub fn order(subjects: usize, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(subjects).unwrap_or(u32::MAX)).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut place = vec![0; order.len()];
    for (at, &subject) in (0..).zip(&order) {
        place[subject as usize] = at;
    }
    place
}

/// Gallery sizes: the whole, its half, the half of that, down to the smallest that is worth it. Ascending.
#[must_use]
pub fn sizes(subjects: u32, smallest: u64) -> Vec<u32> {
    let mut found = vec![subjects];
    let mut size = subjects / 2;
    while found.len() < MOST_SIZES && u64::from(size) >= smallest.max(1) {
        found.push(size);
        size /= 2;
    }
    found.reverse();
    found
}

/// Refuses probe sets that contradict the gallery.
///
/// # Errors
/// Names up to five people at fault.
pub fn check_people(
    gallery: &HashMap<String, u32>,
    mated: &BTreeSet<&str>,
    non_mated: &BTreeSet<&str>,
) -> anyhow::Result<()> {
    let some = |names: Vec<&str>| {
        names.into_iter().take(5).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let strangers: Vec<&str> = mated.iter().filter(|name| !gallery.contains_key(**name)).copied().collect();
    ensure!(
        strangers.is_empty(),
        "{} people of the mated probes are not in the gallery, such as {}; a mated probe shows somebody enrolled",
        strangers.len(),
        some(strangers.clone())
    );
    let enrolled: Vec<&str> = non_mated.iter().filter(|name| gallery.contains_key(**name)).copied().collect();
    ensure!(
        enrolled.is_empty(),
        "{} people of the non-mated probes are in the gallery, such as {}; a non-mated probe shows nobody enrolled",
        enrolled.len(),
        some(enrolled.clone())
    );
    Ok(())
}

/// Adds up refusals.
pub fn tally<'a>(refusals: &mut BTreeMap<String, u64>, codes: impl Iterator<Item = &'a String>) -> u64 {
    let mut failed = 0;
    for code in codes {
        *refusals.entry(code.clone()).or_insert(0) += 1;
        failed += 1;
    }
    failed
}
