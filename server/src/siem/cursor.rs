//! How far the feed has come, durably.

use super::SiemError;
use crate::audit::anomaly::Flag;
use crate::data::DataDir;
use crate::durable;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Flags kept for events that were sent and are not confirmed yet; older ones are raised again from the log at the next start.
const MOST_FLAGS: usize = 10_000;

/// The position up to which everything is confirmed.
pub(super) struct Cursor {
    file: PathBuf,
    position: u64,
    flags: BTreeMap<u64, Vec<Flag>>,
}

impl Cursor {
    pub(super) fn open(data: &DataDir) -> Result<Self, SiemError> {
        let file = data.path().join("siem-position");
        let position = if file.exists() {
            // An unreadable position is the beginning: everything once more is within the promise, nothing is not.
            String::from_utf8_lossy(&durable::read_private(&file)?).trim().parse().unwrap_or(0)
        } else {
            durable::create_file(&file, b"0\n")?;
            0
        };
        Ok(Self { file, position, flags: BTreeMap::new() })
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Moves on, never back.
    pub(super) fn advance(&mut self, position: u64) -> Result<(), SiemError> {
        if position > self.position {
            durable::replace_file(&self.file, format!("{position}\n").as_bytes())?;
            self.position = position;
            self.flags = self.flags.split_off(&position);
        }
        Ok(())
    }

    pub(super) fn remember(&mut self, index: u64, flags: &[Flag]) {
        if !flags.is_empty() && self.flags.len() < MOST_FLAGS {
            self.flags.insert(index, flags.to_vec());
        }
    }

    pub(super) fn flags_of(&self, index: u64) -> Vec<Flag> {
        self.flags.get(&index).cloned().unwrap_or_default()
    }
}
