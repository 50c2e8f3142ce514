//! Whether the entries that are gone may be: all of them at the beginning, as many as a recorded purge accounts for, none
//! younger than the period, and their stubs those that were recorded.

use super::{Finding, FindingKind};
use crate::audit::expiry::{LEAST_DAYS, MetadataPurge};
use crate::ids::first_at;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// A purge as an entry that is there records it.
struct Recorded {
    at: u64,
    occurred_at: Timestamp,
    mark: MetadataPurge,
}

/// What is collected while the log is read.
#[derive(Default)]
pub(in crate::audit) struct Expired {
    gone: u64,
    recorded: Vec<Recorded>,
}

impl Expired {
    /// An entry is gone. `false` when one before it is not: entries are forgotten from the oldest on.
    pub fn gone(&mut self, index: u64) -> bool {
        let fits = index == self.gone;
        self.gone += u64::from(fits);
        fits
    }

    /// An entry that is there records a purge.
    pub fn recorded(&mut self, at: u64, occurred_at: Timestamp, mark: MetadataPurge) {
        self.recorded.push(Recorded { at, occurred_at, mark });
    }

    /// How many entries are gone.
    pub fn count(&self) -> u64 {
        self.gone
    }

    /// Judges, with the stubs of the whole log from the beginning on: event id and leaf hash of each entry.
    pub fn judge(
        &self,
        least_days: Option<u32>,
        mut stubs: impl Iterator<Item = ([u8; 16], [u8; 32])>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.gone == 0 {
            return findings;
        }
        let least = least_days.unwrap_or(0).max(LEAST_DAYS);
        for bad in self.recorded.iter().filter(|recorded| !recorded.is_lawful(least)) {
            let why = format!(
                "it records a purge of entries that are not past a retention of {least} days: before {:.3}, after {} days",
                bad.mark.before, bad.mark.days
            );
            findings.push(Finding::at(bad.at, FindingKind::Removed, why));
        }
        let lawful = self.recorded.iter().filter(|recorded| recorded.is_lawful(least));
        let Some(covering) = lawful.max_by_key(|recorded| recorded.mark.entries) else {
            findings.push(Finding::at(0, FindingKind::Removed, NOTHING));
            return findings;
        };
        if self.gone > covering.mark.entries {
            findings.push(Finding::at(covering.mark.entries, FindingKind::Removed, NOTHING));
        }
        let young = first_at(covering.mark.before);
        let mut digest = Sha256::new();
        let mut read = 0;
        for (event, hash) in stubs.by_ref().take(usize::try_from(covering.mark.entries).unwrap_or(usize::MAX))
        {
            if event >= young && read < self.gone {
                let why = "its body is gone, and its event is younger than what was to be forgotten";
                findings.push(Finding::at(read, FindingKind::Removed, why));
            }
            digest.update(event);
            digest.update(hash);
            read += 1;
        }
        if read != covering.mark.entries || hex::encode(digest.finalize()) != covering.mark.stubs {
            let why =
                "the stubs of forgotten entries are not those that were recorded when they were forgotten";
            findings.push(Finding::at(0, FindingKind::Changed, why));
        }
        findings
    }
}

const NOTHING: &str = "its body is gone, and no recorded purge accounts for that";

impl Recorded {
    fn is_lawful(&self, least: u32) -> bool {
        let period = SignedDuration::from_hours(24 * i64::from(self.mark.days));
        let passed = self.occurred_at.checked_sub(period).is_ok_and(|latest| self.mark.before <= latest);
        self.mark.days >= least && passed && self.mark.entries <= self.at
    }
}
