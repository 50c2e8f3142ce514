//! Signed checkpoints, from wherever they come, against the tree as recomputed.

use super::finding::{Finding, FindingKind, Findings};
use crate::audit::Checkpoint;
use crate::keys::VerifierKey;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// A signed statement about the log.
#[derive(Clone)]
pub(super) struct Witness {
    /// Where it comes from, for the report.
    pub source: &'static str,
    pub checkpoint: Checkpoint,
}

/// All statements about the log, by the size they are about.
pub(super) struct Witnesses {
    ahead: BTreeMap<u64, Vec<Witness>>,
    /// Largest size that a checkpoint in the log itself covers.
    covered: u64,
    compared: u64,
    /// Largest size at which everything agreed.
    agreed: u64,
    /// The first disagreement: the entries it is about, and what is to be said.
    disagreed: Option<(u64, u64, String)>,
}

impl Witnesses {
    /// Reads and verifies the checkpoints in the log; `outside` are those from elsewhere, verified already.
    pub fn load(
        log: &Connection,
        key: &VerifierKey,
        outside: Vec<Witness>,
        findings: &mut Findings,
    ) -> Result<Self, String> {
        let mut all = Self { ahead: BTreeMap::new(), covered: 0, compared: 0, agreed: 0, disagreed: None };
        for witness in outside {
            all.ahead.entry(witness.checkpoint.size).or_default().push(witness);
        }
        let text = |error: rusqlite::Error| format!("its checkpoints cannot be read: {error}");
        let mut statement = log.prepare("SELECT size, note FROM checkpoint ORDER BY size").map_err(text)?;
        let mut rows = statement.query([]).map_err(text)?;
        let mut commit = 0;
        while let Some(row) = rows.next().map_err(text)? {
            let (size, note): (i64, String) = (row.get(0).map_err(text)?, row.get(1).map_err(text)?);
            let bad = |why: String| {
                Finding::of_log(FindingKind::Checkpoint, format!("checkpoint of size {size}: {why}"))
            };
            match Checkpoint::open(&note, key) {
                Err(error) => findings.add(bad(error.to_string())),
                Ok(checkpoint) if i64::try_from(checkpoint.size) != Ok(size) => {
                    findings.add(bad("it is about another size".into()));
                }
                Ok(checkpoint) => {
                    if checkpoint.commit != commit {
                        findings.add(bad("one or more checkpoints before it are missing".into()));
                    }
                    commit = checkpoint.commit;
                    all.covered = checkpoint.size;
                    let witness = Witness { source: "a checkpoint in the log", checkpoint };
                    all.ahead.entry(witness.checkpoint.size).or_default().push(witness);
                }
            }
            commit += 1;
        }
        Ok(all)
    }

    /// Compares what was signed at this size with the tree hash there.
    pub fn compare(&mut self, size: u64, root: [u8; 32]) {
        for witness in self.ahead.remove(&size).unwrap_or_default() {
            self.compared += 1;
            if witness.checkpoint.root == root {
                self.agreed = size;
            } else if self.disagreed.is_none() {
                // Later ones disagree as well; the first says where.
                let last = size.max(1) - 1;
                let why = format!("it or one up to entry {last} is not what {} signed", witness.source);
                self.disagreed = Some((self.agreed, last, why));
            }
        }
    }

    /// Entries up to here, not including, are those that were signed.
    pub fn agreed(&self) -> u64 {
        self.agreed
    }

    /// What remains is about entries that are not there.
    pub fn finish(&mut self, size: u64, findings: &mut Findings) {
        if let Some((first, last, why)) = self.disagreed.take() {
            // What the chain found is more precise; also at the neighbour, which shows a changed hash.
            if !findings.any_at(first, last.saturating_add(1)) {
                findings.add(Finding::at(first, FindingKind::Rewritten, why));
            }
        }
        if let Some((signed, witness)) =
            self.ahead.last_key_value().and_then(|(size, all)| all.first().map(|first| (size, first)))
        {
            let why = format!("cut off: {} covers {signed} entries, {size} are there", witness.source);
            findings.add(Finding::at(size, FindingKind::Truncated, why));
        }
        if self.covered < size {
            let why = "it and what follows is not covered by a signed checkpoint";
            findings.add(Finding::at(self.covered, FindingKind::Unsigned, why));
        }
    }

    /// How many statements were compared.
    pub fn compared(&self) -> u64 {
        self.compared
    }
}
