//! What the service runs by (configuration, policies, anomaly rules), and that a change of it is on record before it takes effect.
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{OpenError, Service, Unanswered};
use crate::{
    audit::{Change, Entry, Operation, Outcome, Phase, Submission, anomaly},
    durable,
};

/// The name under which a change is recorded: no call, but the service's own observation at its start.
pub const CHANGED: &str = "likeness/configuration";

impl Service {
    /// Records what differs from the last start. At the very first start, with nothing in the log, there is nothing to compare.
    ///
    /// # Errors
    /// [`OpenError`] when the change cannot be recorded: then it does not take effect.
    pub(super) fn observe_settings(&self) -> Result<(), OpenError> {
        let now = self.settings().map_err(crate::data::DataError::from)?;
        let file = self.data.settings();
        let before = match file.exists() {
            true => Some(read(&durable::read_private(&file).map_err(crate::data::DataError::from)?)),
            false => None,
        };
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        let first = before.is_none() && self.audit.head()?.size == 0;
        if !first {
            let before = before.unwrap_or_default();
            let mut entry = Entry::new(self.clock.now(), CHANGED, Operation::Alteration, Phase::Single);
            entry.outcome = Some(Outcome::Answered);
            for (name, digest) in &now {
                let change = Change { before: before.get(name).cloned(), after: Some(digest.clone()) };
                if change.before != change.after {
                    entry.changes.insert(name.clone(), change);
                }
            }
            tracing::info!(changed = ?entry.changes.keys(), "the service runs by other settings than at its last start");
            self.record_one(Submission::from(entry)).map_err(|unanswered| match unanswered {
                Unanswered::Unrecorded(error) => OpenError::Audit(error),
                Unanswered::Refused { .. } => OpenError::Recovery,
            })?;
        }
        // After the entry: a stop in between records the change once more, never not at all.
        durable::replace_file(&file, text(&now).as_bytes()).map_err(crate::data::DataError::from)?;
        Ok(())
    }

    /// Digests of everything it runs by, by name.
    fn settings(&self) -> Result<BTreeMap<String, String>, durable::FileError> {
        let rules = self.data.path().join("anomalies.toml");
        let rules = match std::fs::read(&rules) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                anomaly::DEFAULT.as_bytes().to_vec()
            }
            Err(source) => return Err(durable::FileError::Io { action: "read", path: rules, source }),
        };
        // The configuration as it takes effect, defaults of this program included.
        let config = format!("{:?}", self.config);
        Ok(BTreeMap::from([
            ("anomaly_rules".to_owned(), hex::encode(Sha256::digest(rules))),
            ("configuration".to_owned(), hex::encode(Sha256::digest(config))),
            ("policies".to_owned(), self.authoriser.digest().to_owned()),
            ("program".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ]))
    }
}

fn text(settings: &BTreeMap<String, String>) -> String {
    settings.iter().map(|(name, digest)| format!("{name} {digest}\n")).collect()
}

fn read(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let settings = BTreeMap::from([
            ("policies".to_owned(), "ab".to_owned()),
            ("configuration".to_owned(), "cd".to_owned()),
        ]);
        assert_eq!(read(text(&settings).as_bytes()), settings);
        assert!(read(b"\xff\xfe").is_empty());
    }
}
