//! How fast rows can be forgotten.

use anyhow::Context as _;
use likeness_matcher::index::{IndexWrite as _, RowKey};
use serde::{Deserialize, Serialize};

use super::ours::Ours;
use super::rival::Rival;
use crate::timing::{Spread, timed};

/// Removals: one row at a time, and a hundredth of all rows in one call.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Removal {
    /// Median milliseconds of a call that removes one row.
    pub one_ms: f64,
    /// Rows per second of the call that removes many.
    pub many_rows_per_s: f64,
}

/// Rows to remove one by one, and those to remove in one call: different ones, spread over all.
fn doomed(rows: u64) -> (Vec<u64>, Vec<u64>) {
    let apart = (rows / 5).max(1);
    let one = (0..5).map(|place| place * apart).collect();
    let many = (0..rows).filter(|row| row % 100 == 7 && row % apart != 0).collect();
    (one, many)
}

pub(super) fn of_ours(ours: &Ours, rows: u64) -> anyhow::Result<Removal> {
    let index = ours.index()?;
    removal(rows, |rows| {
        let rows: Vec<RowKey> = rows.iter().map(|&row| RowKey(row)).collect();
        Ok(index.remove(&rows)?)
    })
}

pub(crate) fn of_rival(rival: &mut dyn Rival, rows: u64) -> anyhow::Result<Removal> {
    removal(rows, |rows| rival.remove(rows))
}

fn removal(rows: u64, mut remove: impl FnMut(&[u64]) -> anyhow::Result<usize>) -> anyhow::Result<Removal> {
    let (one, many) = doomed(rows);
    let mut taken = Vec::new();
    for row in one {
        let (removed, took) = timed(|| remove(&[row]));
        anyhow::ensure!(removed? == 1, "a row was not removed");
        taken.push(took);
    }
    let (removed, took) = timed(|| remove(&many));
    let removed = removed?;
    anyhow::ensure!(removed == many.len(), "{removed} of {} rows were removed", many.len());
    let one_ms = Spread::of(&taken).context("no removals")?.median_ms;
    Ok(Removal { one_ms, many_rows_per_s: removed as f64 / took.as_secs_f64() })
}
