//! `audit`: labels that may be wrong. A "stranger" who scores like a mate may be the same person under two names; a "mate"
//! who scores like a stranger may be somebody else. Wrong labels are counted as errors of the algorithm, so a person
//! looks at them before rates are believed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::path::Path;

use anyhow::Context as _;

use super::compare::write_new;
use super::output::read_sealed;
use crate::table::Table;

/// A row of the raw scores, ordered by how suspicious it is.
#[derive(Clone, Debug, PartialEq)]
struct Suspect {
    doubt: f64,
    probe: String,
    reference: String,
    score: f64,
}

impl Eq for Suspect {}

impl Ord for Suspect {
    /// The least suspicious is the greatest, so that a heap gives it up first.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .doubt
            .total_cmp(&self.doubt)
            .then_with(|| other.probe.cmp(&self.probe))
            .then_with(|| other.reference.cmp(&self.reference))
    }
}

impl PartialOrd for Suspect {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Lists the `most` highest non-mated and lowest mated scores of a run.
///
/// # Errors
/// When the folder is not complete or was changed, or the list cannot be written.
pub fn run(folder: &Path, most: usize, out: Option<&Path>) -> anyhow::Result<()> {
    read_sealed(folder)?;
    let (non_mates, mates) = suspects(&folder.join("scores.csv"), most)?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["suspicion", "probe", "reference", "score"])?;
    let kinds = [
        ("non-mates that score highest: the same person under two names?", "non-mate", non_mates),
        ("mates that score lowest: another person under this name?", "mate", mates),
    ];
    for (title, word, found) in kinds {
        let mut table = Table::new(title, &["probe", "reference", "score"]);
        for one in found {
            csv.write_record([word, &one.probe, &one.reference, &one.score.to_string()])?;
            table.row(vec![one.probe, one.reference, format!("{:.4}", one.score)]);
        }
        println!("{}", table.markdown());
    }
    if let Some(out) = out {
        write_new(out, &csv.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?)?;
    }
    Ok(())
}

/// Streams the scores; keeps only what is listed.
fn suspects(path: &Path, most: usize) -> anyhow::Result<(Vec<Suspect>, Vec<Suspect>)> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let (mut non_mates, mut mates) = (BinaryHeap::new(), BinaryHeap::new());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let text = |at: usize| record.get(at).unwrap_or_default();
        let (Ok(score), mated @ ("0" | "1")) = (text(3).parse::<f64>(), text(2)) else { continue };
        let (heap, doubt) = if mated == "1" { (&mut mates, -score) } else { (&mut non_mates, score) };
        let one = || Suspect { doubt, probe: text(0).to_owned(), reference: text(1).to_owned(), score };
        if heap.len() < most {
            heap.push(one());
        } else if heap.peek().is_some_and(|least: &Suspect| doubt > least.doubt) {
            heap.pop();
            heap.push(one());
        }
    }
    Ok((non_mates.into_sorted_vec(), mates.into_sorted_vec()))
}
