//! From a run to a record: the threshold that keeps a target FPIR in the largest gallery it is meant for.
use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use thiserror::Error;

use super::{
    InvalidRecord, Run,
    record::{
        CurveRow, Evidence, FORMAT, GroupRate, Measured, MeasuredSize, OperatingPoint, Rate, Use, WorstGroups,
    },
    run::{Cell, Size},
};
use crate::pool::PoolKind;

/// What a tester states; the rest comes from the run.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// Kinds of pool it is meant for.
    pub pool_kinds: BTreeSet<PoolKind>,
    /// Purposes it is meant for.
    pub use_cases: BTreeSet<String>,
    /// Share of searches for people who are not enrolled that may return anybody at all, between 0 and 1.
    pub target_fpir: f64,
    /// Fewest searchable images of a pool.
    pub gallery_from: u64,
    /// Most searchable images of a pool; absent: the largest gallery that was measured.
    pub gallery_to: Option<u64>,
    /// Why there are no demographic groups, when the data set has none.
    pub without_groups: Option<String>,
    /// Id of the person who is asked to approve it.
    pub approver: String,
    /// Last day of validity.
    pub expires_on: Date,
}

/// Why a run gives no operating point.
#[derive(Debug, Error)]
pub enum CalibrateError {
    /// The run has no searches, only comparisons.
    #[error(
        "the run has no 1:N searches; a threshold for searching comes from `likeness-bench identify`, never from one-to-one comparisons"
    )]
    NoSearches,
    /// Scores from elsewhere, without a pack.
    #[error(
        "the run names no model pack, so its threshold belongs to no algorithm; run it with `--pack NAME`"
    )]
    NoPack,
    /// An external matcher.
    #[error(
        "the run is of the external matcher `{0}`, which is no model pack: no pool can be searched with it, so no threshold of it can \
         hold for one. To use the algorithm here, make a pack of its ONNX files with `likeness models add` and run again with \
         `--pack NAME`; to judge it, its report and `likeness-bench compare` are enough"
    )]
    ExternalMatcher(String),
    /// A gallery that is larger than any that was measured.
    #[error(
        "the largest gallery measured has {largest} images, so nothing is known about {wanted}; measure a larger one"
    )]
    GalleryTooLarge {
        /// The largest.
        largest: u64,
        /// As asked for.
        wanted: u64,
    },
    /// Too few searches for the target.
    #[error(
        "{have} non-mated searches cannot support an FPIR of {target}: at least {needed} are needed; search more people who are not enrolled, or ask for a higher FPIR"
    )]
    Unsupported {
        /// As asked for.
        target: f64,
        /// Searches made.
        have: u64,
        /// Searches needed.
        needed: u64,
    },
    /// The curve has no such step.
    #[error("no threshold of the run keeps FPIR at or below {0}; its curve ends before")]
    NoThreshold(f64),
    /// The data set has no labels.
    #[error(
        "the run has no demographic group with at least {least} searches, so the worst group is not known (R65); label the data set, or say why not with `--without-groups TEXT`"
    )]
    NoGroups {
        /// Fewest searches of a group that is judged.
        least: u64,
    },
    /// The record would contradict itself.
    #[error(transparent)]
    Invalid(#[from] InvalidRecord),
}

/// Makes the record, unsigned.
///
/// The threshold is the smallest step of the curve at which the count of false positives stays within the target, at the
/// measured size that stands for `gallery_to`: smaller galleries have fewer.
///
/// # Errors
/// [`CalibrateError`] when the run cannot support what is asked for.
pub fn calibrate(run: &Run, asked: &Calibration, now: Timestamp) -> Result<OperatingPoint, CalibrateError> {
    let metrics = &run.metrics;
    let searches = metrics.searches.as_ref().ok_or(CalibrateError::NoSearches)?;
    let pack = metrics.pack.as_ref().ok_or(CalibrateError::NoPack)?;
    let Some(space_id) = &pack.space_id else {
        return Err(CalibrateError::ExternalMatcher(
            crate::text::recordable(&pack.name, 64).unwrap_or_default(),
        ));
    };
    let largest = searches.sizes.iter().map(|size| size.references).max().unwrap_or_default();
    let gallery_to = asked.gallery_to.unwrap_or(largest);
    let size = searches
        .sizes
        .iter()
        .find(|size| size.references >= gallery_to)
        .ok_or(CalibrateError::GalleryTooLarge { largest, wanted: gallery_to })?;
    let allowed = asked.target_fpir * size.non_mated_searches as f64;
    if allowed < metrics.minimum_events as f64 {
        return Err(CalibrateError::Unsupported {
            target: asked.target_fpir,
            have: size.non_mated_searches,
            needed: (metrics.minimum_events as f64 / asked.target_fpir).ceil() as u64,
        });
    }
    let threshold = size
        .rows
        .iter()
        .find(|row| row.non_mated_with_candidate as f64 <= allowed)
        .map(|row| row.threshold)
        .ok_or(CalibrateError::NoThreshold(asked.target_fpir))?;
    let zero = Rate { count: 0, of: 0, rate: 0.0, low: 0.0, high: 0.0 };
    let mut point = OperatingPoint {
        format: FORMAT,
        algorithm: Measured {
            pack: pack.name.clone(),
            version: pack.version.clone(),
            space_id: space_id.clone(),
            digest: pack.digest.clone(),
        },
        applies_to: Use {
            pool_kinds: asked.pool_kinds.clone(),
            use_cases: asked.use_cases.clone(),
            gallery_from: asked.gallery_from,
            gallery_to,
        },
        threshold,
        target_fpir: asked.target_fpir,
        fpir: zero,
        fnir: zero,
        worst: worst(
            size,
            threshold,
            metrics.confidence,
            metrics.minimum_events,
            asked.without_groups.as_ref(),
        )?,
        confidence: metrics.confidence,
        list_length: searches.list_length,
        curve: searches.sizes.iter().map(curve).collect(),
        evidence: Evidence {
            data_set: metrics.dataset.name.clone(),
            data_set_digest: metrics.dataset.digest.clone(),
            synthetic: metrics.dataset.synthetic,
            report_id: run.report_id.clone(),
            run_digest: metrics.run_digest.clone(),
            tool: format!("{} {}", metrics.tool.name, metrics.tool.version),
        },
        demonstration_only: metrics.dataset.synthetic,
        approver: asked.approver.clone(),
        made_at: now,
        expires_on: asked.expires_on,
    };
    if let Some((fpir, fnir)) = point.rates_at_threshold() {
        (point.fpir, point.fnir) = (fpir, fnir);
    }
    point.check()?;
    Ok(point)
}

fn curve(size: &Size) -> MeasuredSize {
    MeasuredSize {
        references: size.references,
        subjects: size.subjects,
        mated_searches: size.mated_searches,
        non_mated_searches: size.non_mated_searches,
        rows: size
            .rows
            .iter()
            .map(|row| CurveRow {
                threshold: row.threshold,
                false_positives: row.non_mated_with_candidate,
                missed: row.mated_missed,
            })
            .collect(),
    }
}

/// The groups with the highest rates at the threshold, of those with at least `least` searches of the kind.
fn worst(
    size: &Size,
    threshold: f64,
    confidence: f64,
    least: u64,
    without: Option<&String>,
) -> Result<WorstGroups, CalibrateError> {
    let mut found = WorstGroups { fpir: None, fnir: None, left_out: 0, not_measured: None };
    for cell in &size.cells {
        let as_curve = curve(&cell.as_size(size));
        let rates = [
            (&mut found.fpir, as_curve.false_positives(threshold), cell.non_mated_searches),
            (&mut found.fnir, as_curve.missed(threshold), cell.mated_searches),
        ];
        let mut small = false;
        for (slot, count, of) in rates {
            let Some(rate) = Rate::counted(count, of, confidence).filter(|rate| rate.of >= least) else {
                small = true;
                continue;
            };
            if slot.as_ref().is_none_or(|worst| worst.rate.rate < rate.rate) {
                *slot = Some(GroupRate { group: cell.name(), rate });
            }
        }
        found.left_out += u64::from(small);
    }
    match (found.fpir.is_some() && found.fnir.is_some(), without) {
        (true, _) => Ok(found),
        (false, Some(why)) => {
            Ok(WorstGroups { fpir: None, fnir: None, not_measured: Some(why.clone()), ..found })
        }
        (false, None) => Err(CalibrateError::NoGroups { least }),
    }
}

impl Cell {
    fn name(&self) -> String {
        let pairs = self.by.iter().zip(&self.values).map(|(by, value)| format!("{by}={value}"));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// The group's searches as a size of their own: the gallery is the same.
    fn as_size(&self, size: &Size) -> Size {
        Size {
            mated_searches: self.mated_searches,
            non_mated_searches: self.non_mated_searches,
            rows: self.rows.clone(),
            cells: Vec::new(),
            ..size.clone()
        }
    }
}
