//! Bounds for rates when subjects have several trials: trials of one person fail together.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The trials of one subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Errors among them.
    pub errors: u64,
    /// How many there are.
    pub trials: u64,
}

/// Percentile interval of a subject-level bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Samples drawn.
    pub replicates: u32,
    /// Subjects that were drawn from.
    pub subjects: u64,
}

/// Draws as many subjects as there are, with replacement, `replicates` times, and takes the middle `confidence` of the
/// rates. `None` without subjects or replicates. The same seed gives the same bounds.
#[must_use]
pub fn bootstrap(clusters: &[Cluster], replicates: u32, confidence: f64, seed: u64) -> Option<Bootstrap> {
    if clusters.iter().all(|cluster| cluster.trials == 0) || replicates == 0 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rates: Vec<f64> = Vec::with_capacity(replicates as usize);
    while rates.len() < replicates as usize {
        let (mut errors, mut trials) = (0, 0);
        for _ in 0..clusters.len() {
            let drawn = clusters[random.random_range(0..clusters.len())];
            errors += drawn.errors;
            trials += drawn.trials;
        }
        // Subjects without trials may be all that was drawn; such a sample has no rate.
        if trials > 0 {
            rates.push(errors as f64 / trials as f64);
        }
    }
    rates.sort_unstable_by(f64::total_cmp);
    // Nearest rank, outwards on both sides.
    let last = rates.len() - 1;
    let tail = (1.0 - confidence) / 2.0;
    let low = (tail * rates.len() as f64).floor() as usize;
    let high = ((1.0 - tail) * rates.len() as f64).ceil() as usize;
    Some(Bootstrap {
        low: rates[low.min(last)],
        high: rates[high.saturating_sub(1).min(last)],
        replicates,
        subjects: clusters.len() as u64,
    })
}
