//! How far error rates differ between demographic groups, and whether by more than chance.
//!
//! Summary measures after NISTIR 8429: the largest rate by the smallest, and the largest by the geometric mean. A rate of
//! zero would make both endless: groups without errors enter with half an error (`(0 + 0.5) / (n + 1)`, and then all
//! groups alike), which is stated beside the ratio. No ratio is given without the counts it comes from, and cells with
//! fewer trials than the minimum take no part.

use serde::{Deserialize, Serialize};

use super::{Rate, fisher_exact};

/// One group: a value for each attribute it is made by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Values, in the order of the attributes.
    pub values: Vec<String>,
    /// Errors in the group, with their interval.
    pub rate: Rate,
    /// p-value of Fisher's exact test of the group against all others, times the number of groups tested (Bonferroni), at
    /// most 1. Absent for cells that take no part.
    pub p_value: Option<f64>,
    /// False when the cell has fewer trials than the minimum.
    pub counted: bool,
}

/// The groups of one attribute, or of an intersection of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Differential {
    /// The attributes.
    pub by: Vec<String>,
    /// One per group, in the order of their values.
    pub cells: Vec<Cell>,
    /// Trials that a cell needs to take part.
    pub minimum_trials: u64,
    /// Largest rate by smallest. Absent with fewer than two counted cells, or without any error.
    pub max_over_min: Option<f64>,
    /// Largest rate by the geometric mean of all. Absent as above.
    pub max_over_geometric_mean: Option<f64>,
    /// True when a cell without errors made it necessary to add half an error to each.
    pub half_error_added: bool,
    /// Values of the counted cell with the largest rate; absent without any error.
    pub worst: Option<Vec<String>>,
}

/// Compares groups, given as values, errors and trials.
#[must_use]
pub fn differential(
    by: &[String],
    groups: &[(Vec<String>, u64, u64)],
    minimum_trials: u64,
    confidence: f64,
) -> Differential {
    let counts = |trials: u64| trials >= minimum_trials.max(1);
    let counted: Vec<&(Vec<String>, u64, u64)> = groups.iter().filter(|group| counts(group.2)).collect();
    let errors: u64 = counted.iter().map(|group| group.1).sum();
    let trials: u64 = counted.iter().map(|group| group.2).sum();
    let tests = counted.len() as f64;
    let cells = groups.iter().map(|(values, count, of)| Cell {
        values: values.clone(),
        rate: Rate::new(*count, *of, confidence),
        p_value: (counts(*of) && counted.len() > 1)
            .then(|| (fisher_exact(*count, *of, errors - count, trials - of) * tests).min(1.0)),
        counted: counts(*of),
    });
    let half = counted.iter().any(|group| group.1 == 0);
    let rate = |group: &(Vec<String>, u64, u64)| {
        if half { (group.1 as f64 + 0.5) / (group.2 as f64 + 1.0) } else { group.1 as f64 / group.2 as f64 }
    };
    let rates: Vec<f64> = counted.iter().map(|group| rate(group)).collect();
    let comparable = rates.len() > 1 && errors > 0;
    let most = rates.iter().copied().fold(0.0, f64::max);
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = (rates.iter().map(|rate| rate.ln()).sum::<f64>() / rates.len().max(1) as f64).exp();
    let worst =
        counted.iter().zip(&rates).max_by(|a, b| a.1.total_cmp(b.1)).map(|(group, _)| group.0.clone());
    Differential {
        by: by.to_vec(),
        cells: cells.collect(),
        minimum_trials,
        max_over_min: comparable.then(|| most / least),
        max_over_geometric_mean: comparable.then(|| most / mean),
        half_error_added: comparable && half,
        worst: worst.filter(|_| errors > 0),
    }
}
