//! Error-versus-discard curves of the quality measures.

use super::record::QualityCurve;
use crate::metrics::error_versus_discard;

/// Steps of a curve.
const STEPS: u32 = 40;

/// Largest share that is set aside.
const MOST: f64 = 0.8;

/// One curve per measure, most useful first, and one for the lowest of all measures, which comes first of all.
///
/// At the first threshold in operation that misses anybody.
///
/// `pairs` are mated comparisons: the measures of both images, and the score. The quality of a pair is the lower one.
#[must_use]
pub fn curves(names: &[String], pairs: &[(&[u8], &[u8], f64)], at: &[(f64, String)]) -> Vec<QualityCurve> {
    if pairs.is_empty() || names.is_empty() {
        return Vec::new();
    }
    let missed = |threshold: f64| pairs.iter().any(|pair| pair.2 < threshold);
    let (threshold, why) = match at.iter().find(|(threshold, _)| missed(*threshold)) {
        Some((threshold, why)) => (*threshold, why.clone()),
        // Without a single miss quality has nothing to predict: a stricter threshold makes some.
        None => {
            let mut scores: Vec<f64> = pairs.iter().map(|pair| pair.2).collect();
            scores.sort_unstable_by(f64::total_cmp);
            (scores[scores.len() / 10], "stricter than in operation: one in ten mates misses it".to_owned())
        }
    };
    let curve = |component: &str, quality: &dyn Fn(&[u8]) -> u8| {
        let of =
            |&(one, other, score): &(&[u8], &[u8], f64)| (f64::from(quality(one).min(quality(other))), score);
        let pairs: Vec<(f64, f64)> = pairs.iter().map(of).collect();
        QualityCurve {
            component: component.to_owned(),
            threshold,
            why: why.clone(),
            points: error_versus_discard(&pairs, threshold, STEPS, MOST),
        }
    };
    let lowest = curve("lowest", &|measures| measures.iter().copied().min().unwrap_or(0));
    let mut single: Vec<QualityCurve> = names
        .iter()
        .enumerate()
        .map(|(at, name)| curve(name, &|measures| measures.get(at).copied().unwrap_or(0)))
        .collect();
    let area = |curve: &QualityCurve| -> f64 {
        curve.points.iter().map(|point| point.below as f64 / point.left.max(1) as f64).sum()
    };
    single.sort_by(|a, b| area(a).total_cmp(&area(b)));
    single.insert(0, lowest);
    single
}
