//! What came after the backup, and will be missing.
use std::{collections::BTreeMap, path::Path};

use crate::{backup::Backup, keys::PoolName, records, service::Refusal};

/// What a pool holds now and will not hold afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossCount {
    /// The pool.
    pub pool: PoolName,
    /// Subjects recorded after the backup, and images; none when the records that are here cannot be read.
    pub newer: Option<(u64, u64)>,
}

/// Compares what is here with what is in the backup; pools that lose nothing are left out.
pub(super) fn count(pools: &Path, backup: &Backup, names: &[PoolName]) -> Vec<LossCount> {
    let mut lost = Vec::new();
    for name in names {
        let here = pools.join(name.as_str());
        if !here.exists() {
            continue;
        }
        let there = backup.folder().join("pools").join(name.as_str()).join("records.sqlite");
        let newer = match (records::recorded(&here.join("records.sqlite")), records::recorded(&there)) {
            (Ok(here), Ok(there)) => Some((
                here.subjects.difference(&there.subjects).count() as u64,
                here.images.difference(&there.images).count() as u64,
            )),
            _ => None,
        };
        if newer != Some((0, 0)) {
            lost.push(LossCount { pool: name.clone(), newer });
        }
    }
    lost
}

/// Refuses, unless the person said that it may be lost.
pub(super) fn accepted(lost: &[LossCount], accepted: bool) -> Result<(), Refusal> {
    if lost.is_empty() || accepted {
        return Ok(());
    }
    let said: Vec<String> = lost
        .iter()
        .map(|lost| match lost.newer {
            Some((subjects, images)) => {
                format!("`{}`: {subjects} subjects and {images} images are newer", lost.pool)
            }
            None => format!("`{}`: the records that are here cannot be read", lost.pool),
        })
        .collect();
    Err(Refusal::invalid(
        "newer_records",
        format!(
            "what was recorded after the backup would be missing: {}. Enrol it again afterwards from where it came; with `--yes` the \
             backup is restored nevertheless",
            said.join("; ")
        ),
    ))
}

/// For the entry that announces the restore.
pub(super) fn tell(lost: &[LossCount], counts: &mut BTreeMap<String, u64>) {
    let known = || lost.iter().filter_map(|lost| lost.newer);
    counts.insert("newer_subjects".to_owned(), known().map(|(subjects, _)| subjects).sum());
    counts.insert("newer_images".to_owned(), known().map(|(_, images)| images).sum());
    counts.insert(
        "unreadable_pools".to_owned(),
        lost.iter().filter(|lost| lost.newer.is_none()).count() as u64,
    );
}
