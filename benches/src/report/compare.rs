//! Two runs on the same data, side by side: champion and challenger.

use maud::{Markup, html};

use super::figures;
use super::tables::{grouped, rate, short};
use crate::evaluate::record::{Metrics, OperatingPoint};
use crate::metrics::Rate;

/// The page of a comparison. Names are those of the packs, with the report ids.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn page(champion: (&Metrics, &str), challenger: (&Metrics, &str)) -> anyhow::Result<String> {
    let runs = [("champion", champion), ("challenger", challenger)];
    let pack = |metrics: &Metrics| {
        metrics.pack.as_ref().map_or_else(|| "not stated".to_owned(), |pack| pack.name.clone())
    };
    let named = |role: &str, metrics: &Metrics| format!("{role}: {}", pack(metrics));
    let mut drawings: Vec<Markup> = Vec::new();
    let comparisons: Vec<_> = runs
        .iter()
        .filter_map(|(role, (metrics, _))| Some((named(role, metrics), metrics.comparisons.as_ref()?)))
        .collect();
    if comparisons.len() == 2 {
        drawings.push(figures::det_comparisons(&comparisons)?);
    }
    let searches: Vec<_> = runs
        .iter()
        .filter_map(|(role, (metrics, _))| {
            let size = metrics.searches.as_ref()?.sizes.last()?;
            Some((format!("{}, N = {}", named(role, metrics), size.subjects), size))
        })
        .collect();
    if searches.len() == 2 {
        drawings.push(figures::det_searches(&searches)?);
        drawings.push(figures::cmc(&searches)?);
    }
    for (role, (metrics, _)) in &runs {
        if let Some(distribution) = &metrics.distribution {
            let title = format!("Score distributions, {}", named(role, metrics));
            drawings.push(figures::scores(&title, distribution)?);
        }
    }
    let title = format!("{} and {} on {}", pack(champion.0), pack(challenger.0), champion.0.dataset.name);
    Ok(super::document(
        &title,
        &html! {
            h1 { (title) }
            @if champion.0.dataset.synthetic {
                p.warn { "The faces were made by a generator. Error rates on them say nothing about error rates on people." }
            }
            table {
                tr { th { "role" } th.text { "algorithm" } th.text { "space" } th.text { "report" } }
                @for (role, (metrics, id)) in &runs {
                    tr { td { (role) } td.text { (pack(metrics)) " " (metrics.pack.as_ref().map(|pack| pack.version.as_str()).unwrap_or_default()) }
                        td.text { code { (metrics.pack.as_ref().and_then(|pack| pack.space_id.as_deref()).unwrap_or("–")) } }
                        td.text { code { (id) } } }
                }
            }
            p.faint { "Data set " (champion.0.dataset.name) ", digest " code { (champion.0.dataset.digest) } ", the same for both." }
            (points(champion.0, challenger.0))
            (failures(&runs))
            h2 { "Curves" }
            div.figures { @for drawing in &drawings { (drawing) } }
        },
    ))
}

/// FNMR and FNIR at the same targets, each run at its own threshold; thresholds of two algorithms are not comparable.
fn points(champion: &Metrics, challenger: &Metrics) -> Markup {
    let one = |metrics: &Metrics| {
        metrics.comparisons.as_ref().map(|record| record.operating_points.clone()).unwrap_or_default()
    };
    let many = |metrics: &Metrics| {
        let full = metrics.searches.as_ref().and_then(|record| record.sizes.last());
        full.map(|size| size.operating_points.clone()).unwrap_or_default()
    };
    html! {
        h2 { "At equal false positive rates" }
        p.faint { "Each run at its own threshold: similarities of two algorithms are not on one scale. The difference is called clear only when
            the intervals do not overlap; both runs are on the same images, so that this is a cautious rule." }
        div.scroll { table {
            tr { th { "target" } th { "champion: threshold" } th { "misses" } th { "challenger: threshold" } th { "misses" } th.text { "reading" } }
            @for (left, right) in one(champion).iter().zip(&one(challenger)) {
                (row(&format!("FMR {}", left.target_fmr.unwrap_or_default()), left, right, |point| point.fnmr.as_ref()))
            }
            @for (left, right) in many(champion).iter().zip(&many(challenger)) {
                (row(&format!("FPIR {}", left.target_fpir.unwrap_or_default()), left, right, |point| point.fnir.as_ref()))
            }
        } }
        (own_thresholds(champion, challenger))
    }
}

fn own_thresholds(champion: &Metrics, challenger: &Metrics) -> Markup {
    html! {
        h2 { "At the packs' own thresholds" }
        div.scroll { table {
            tr { th { "role" } th { "threshold" } th.text { "why" } th { "FMR" } th { "FNMR" } th { "FRR, failures included" } }
            @for (role, metrics) in [("champion", champion), ("challenger", challenger)] {
                @for at in metrics.comparisons.iter().flat_map(|record| &record.at) {
                    tr { td { (role) } td { (format!("{:.4}", at.threshold)) } td.text { (at.why) } td { (rate(&at.fmr)) } td { (rate(&at.fnmr)) }
                        td { (rate(&at.frr)) } }
                }
            }
        } }
    }
}

fn row(
    target: &str,
    left: &OperatingPoint,
    right: &OperatingPoint,
    misses: impl Fn(&OperatingPoint) -> Option<&Rate>,
) -> Markup {
    html! {
        tr {
            td { (target) }
            @for point in [left, right] {
                @match (point.threshold, misses(point)) {
                    (Some(at), Some(found)) => { td { (format!("{at:.4}")) } td { (rate(found)) } }
                    _ => td.refused colspan="2" { "not stated: " (grouped(point.needed.unwrap_or_default())) " non-mated trials are needed" }
                }
            }
            td.text { (reading(misses(left), misses(right))) }
        }
    }
}

/// Which of two rates is smaller, when their intervals tell.
fn reading(left: Option<&Rate>, right: Option<&Rate>) -> String {
    let bounds = |rate: Option<&Rate>| rate.and_then(|rate| Some((rate.low?, rate.high?)));
    match (bounds(left), bounds(right)) {
        (Some(left), Some(right)) if left.1 < right.0 => "champion misses fewer, clearly".to_owned(),
        (Some(left), Some(right)) if right.1 < left.0 => "challenger misses fewer, clearly".to_owned(),
        (Some(_), Some(_)) => "no clear difference".to_owned(),
        _ => "not comparable here".to_owned(),
    }
}

fn failures(runs: &[(&str, (&Metrics, &str)); 2]) -> Markup {
    html! {
        h2 { "Images without a template" }
        table {
            tr { th { "role" } th { "references" } th { "probes" } th { "share" } th.text { "refusals" } }
            @for (role, (metrics, _)) in runs {
                @let parts = [metrics.counts.references, metrics.counts.mated_probes, metrics.counts.non_mated_probes];
                @let failed: u64 = parts.iter().flatten().map(|part| part.images_failed).sum();
                @let images: u64 = parts.iter().flatten().map(|part| part.images).sum();
                tr {
                    td { (role) }
                    td { (parts[0].map_or(0, |part| part.images_failed)) }
                    td { (failed - parts[0].map_or(0, |part| part.images_failed)) }
                    td { (short(if images == 0 { 0.0 } else { failed as f64 / images as f64 })) }
                    td.text { @for (code, count) in &metrics.counts.refusals { (count) " × " (code) " " } }
                }
            }
        }
    }
}
