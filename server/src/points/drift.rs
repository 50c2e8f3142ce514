//! Whether what was measured still holds in service (R67): what control images score in a pool today, beside the approved curve.
//!
//! The threshold's own rate is too small to be measured with a few hundred controls, so the distribution of their best scores is
//! looked at as well: at similarities where the approved curve has a half, a fifth, a tenth ... of the searches. A rate counts
//! as changed when its interval lies wholly above the approved one; the intervals of all levels together have the record's
//! confidence (Bonferroni), so that looking at more levels raises no more false alarms.
use super::{OperatingPoint, Rate, percent};

/// Approved rates whose similarities are looked at, besides the threshold.
const LEVELS: [f64; 6] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/// Share of the approved range from which its end is announced.
const NEAR: f64 = 0.9;

/// A similarity at which controls are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The similarity.
    pub threshold: f64,
    /// Control images whose best candidate was at or above it.
    pub observed: Rate,
    /// The same in the approved record, at the measured gallery that stands for today's.
    pub approved: Rate,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Searchable images in the pool.
    pub gallery: u64,
    /// The threshold first, then ascending; empty when no measured gallery stands for this one, or there were no controls.
    pub levels: Vec<Level>,
    /// What is wrong, in words.
    pub alerts: Vec<String>,
    /// What is no fault yet.
    pub notices: Vec<String>,
}

impl Drift {
    /// `alert`, or `holds`.
    pub fn state(&self) -> &'static str {
        if self.alerts.is_empty() { "holds" } else { "alert" }
    }
}

impl OperatingPoint {
    /// The similarities that a check counts at: the threshold first.
    pub fn levels(&self) -> Vec<f64> {
        let mut found = Vec::new();
        if let Some(size) = self.size_for(self.applies_to.gallery_to) {
            let least = |share: &f64| {
                let most = share * size.non_mated_searches as f64;
                size.rows.iter().find(|row| row.false_positives > 0 && row.false_positives as f64 <= most)
            };
            found.extend(LEVELS.iter().filter_map(least).map(|row| row.threshold));
        }
        found.sort_unstable_by(f64::total_cmp);
        found.dedup();
        found.retain(|level| *level != self.threshold);
        found.insert(0, self.threshold);
        found
    }

    /// Judges a check: `counts` are the controls at or above each of [`OperatingPoint::levels`], of `controls` in all. A control
    /// image without a usable face is a search without a candidate, as in the measurement.
    pub fn drift(&self, gallery: u64, controls: u64, counts: &[u64]) -> Drift {
        let applies = &self.applies_to;
        let mut drift = Drift { gallery, levels: Vec::new(), alerts: Vec::new(), notices: Vec::new() };
        let near = (applies.gallery_to as f64 * NEAR) as u64;
        if gallery < applies.gallery_from || gallery > applies.gallery_to {
            drift.alerts.push(format!(
                "the pool has {gallery} searchable images, outside the approved {} to {}: measure again at this size",
                applies.gallery_from, applies.gallery_to
            ));
        } else if gallery > near {
            drift.notices.push(format!(
                "the pool has {gallery} searchable images, near the end of the approved {} to {}: measure a larger gallery soon",
                applies.gallery_from, applies.gallery_to
            ));
        }
        let levels = self.levels();
        let each = 1.0 - (1.0 - self.confidence) / levels.len().max(1) as f64;
        for (&threshold, &count) in levels.iter().zip(counts) {
            let approved = self.fpir_at(threshold, gallery).map(|(rate, _)| (rate.count, rate.of));
            let approved = approved.and_then(|(count, of)| Rate::counted(count, of, each));
            let (Some(approved), Some(observed)) = (approved, Rate::counted(count, controls, each)) else {
                continue;
            };
            if observed.low > approved.high {
                drift.alerts.push(format!(
                    "{} of {} control searches have a candidate at or above {threshold:.4} ({} to {}); approved was {} ({} to {})",
                    observed.count,
                    observed.of,
                    percent(observed.low),
                    percent(observed.high),
                    percent(approved.rate),
                    percent(approved.low),
                    percent(approved.high)
                ));
            }
            drift.levels.push(Level { threshold, observed, approved });
        }
        if let Some(level) = drift.levels.first() {
            // With fewer than three expected errors, none at all would be no surprise.
            let needed = (3.0 / level.approved.high.max(f64::MIN_POSITIVE)).ceil();
            if (controls as f64) < needed && needed < 1e9 {
                drift.notices.push(format!(
                    "{controls} control images are too few to judge the rate at the threshold itself: {needed} are needed; the \
                     levels below it are judged"
                ));
            }
        }
        drift
    }
}
