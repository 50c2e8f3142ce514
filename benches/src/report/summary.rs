//! A run for the public (R68): what was tested, on how many people, how often it goes wrong, for whom, and what that does not say.
//! Made of `metrics.json` and the register alone; no file name, score or threshold is in it that would help to get past a search.

use maud::{Markup, html};

use super::tables::grouped;
use crate::evaluate::record::{Demographic, Metrics};
use crate::evaluate::sharing::Line;
use crate::metrics::{Cell, Rate};

/// The page. `id` is the report id, `shared` what the register says of this report.
#[must_use]
pub fn page(metrics: &Metrics, id: &str, shared: &[Line]) -> String {
    let algorithm = metrics.pack.as_ref().map_or_else(
        || "an algorithm that is not stated".to_owned(),
        |pack| format!("{} {}", pack.name, pack.version),
    );
    let title = format!("How accurate is {algorithm}? Summary of a test");
    super::document(
        &title,
        &html! {
            h1 { (title) }
            @if metrics.dataset.synthetic {
                p.warn { "This test used faces made by a computer program. It shows that the testing works; it says nothing about how
                    often the algorithm is wrong about people." }
            }
            (tested(metrics, &algorithm))
            (errors(metrics))
            (groups(metrics))
            h2 { "What these numbers do not say" }
            ul {
                li { "They hold for these images. Other cameras, lighting, ages of image and groups of people give other numbers." }
                li { "They are about the algorithm alone. In use, a trained person compares every candidate: a candidate is intelligence,
                    never an identification." }
                li { "A rate of 0 means that no error was seen in this many attempts, not that there is none: the upper end of its range
                    says how frequent errors may still be." }
            }
            h2 { "Who was given the full report" }
            @if shared.iter().all(|line| line.shared_on.is_none()) { p { "Nobody yet." } }
            ul { @for line in shared { @if let Some(on) = line.shared_on { li { (line.shared_with) ", " (on) } } } }
            p.faint { "Full report: " code { (id) } "." }
        },
    )
}

fn tested(metrics: &Metrics, algorithm: &str) -> Markup {
    let searches = metrics.searches.as_ref().and_then(|record| record.sizes.last());
    html! {
        h2 { "What was tested" }
        p { "Algorithm: " (algorithm) ". Images: " (metrics.dataset.name) "." }
        @if let Some(size) = searches {
            p { "Faces were searched for among " (grouped(size.subjects)) " people: " (grouped(size.mated_searches)) " searches for people who are
                among them, and " (grouped(size.non_mated_searches)) " for people who are not." }
        } @else if let Some(comparisons) = &metrics.comparisons {
            p { "Two faces were compared at a time: " (grouped(comparisons.mated)) " times two images of one person, "
                (grouped(comparisons.non_mated)) " times images of two people." }
        }
    }
}

fn errors(metrics: &Metrics) -> Markup {
    let size = metrics.searches.as_ref().and_then(|record| record.sizes.last());
    let mut rows: Vec<(String, Option<&Rate>, Option<&Rate>)> = Vec::new();
    if let Some(size) = size {
        for point in size.operating_points.iter().filter(|point| point.supported) {
            let target = times(point.target_fpir.unwrap_or_default());
            rows.push((
                format!("set to accept a wrong person in {target} searches"),
                point.fpir.as_ref(),
                point.fnir.as_ref(),
            ));
        }
    } else if let Some(comparisons) = &metrics.comparisons {
        for at in &comparisons.at {
            rows.push((format!("at {}", at.why), Some(&at.fmr), Some(&at.fnmr)));
        }
        for point in comparisons.operating_points.iter().filter(|point| point.supported) {
            let target = times(point.target_fmr.unwrap_or_default());
            rows.push((
                format!("set to accept a wrong person in {target} comparisons"),
                point.fmr.as_ref(),
                point.fnmr.as_ref(),
            ));
        }
    }
    let first = size.and_then(|size| size.cmc.first());
    html! {
        h2 { "How often it was wrong" }
        p { "Each rate stands with its range: as far as chance goes, the true rate lies in it with a confidence of "
            (likeness_server::points::percent(metrics.confidence)) "." }
        @if rows.is_empty() && first.is_none() {
            p { "The test was too small to state error rates." }
        }
        @if !rows.is_empty() {
            div.scroll { table {
                tr { th.text { "setting" } th.text { "somebody else was returned" } th.text { "the right person was missed" } }
                @for (setting, false_positive, miss) in &rows {
                    tr { td.text { (setting) } td.text { (said(*false_positive)) } td.text { (said(*miss)) } }
                }
            } }
        }
        @if let Some(first) = first {
            p { "When a list of the most similar faces is shown instead, whoever is enrolled or not: the right person was not the first in "
                (said(Some(&first.fnir))) "." }
        }
    }
}

fn groups(metrics: &Metrics) -> Markup {
    // One attribute at a time, at the first setting: the full report has the rest.
    let single = |demographic: &&Demographic| demographic.differential.by.len() == 1;
    let first = metrics.demographics.iter().find(single).map(|demographic| demographic.threshold);
    let shown =
        metrics.demographics.iter().filter(single).filter(|demographic| Some(demographic.threshold) == first);
    html! {
        h2 { "Is it equally accurate for everybody?" }
        @if first.is_none() {
            p { "This test cannot say: the images have no labels of sex, age or ethnicity, or there were too few errors to compare." }
        }
        @for demographic in shown {
            h3 { (demographic.differential.by.join(", ").replace('_', " ")) ": "
                @if demographic.measure == "false_positive" { "somebody else was returned" } @else { "the right person was missed" } }
            table {
                tr { th.text { "group" } th.text { "how often" } }
                @for group in in_order(demographic) {
                    tr { td.text { (group.values.join(", ")) } td.text { (said(Some(&group.rate))) } }
                }
            }
        }
    }
}

/// Groups by their names, numbers among them by size.
fn in_order(demographic: &Demographic) -> Vec<&Cell> {
    let mut cells: Vec<&Cell> = demographic.differential.cells.iter().collect();
    let key = |cell: &Cell| {
        let name = cell.values.join(", ");
        (name.parse::<u64>().unwrap_or(u64::MAX), name)
    };
    cells.sort_by_cached_key(|cell| key(cell));
    cells
}

/// A rate in words: `3 of 500 (0.6 %; between 0.1 % and 1.7 %)`.
fn said(rate: Option<&Rate>) -> String {
    let percent = likeness_server::points::percent;
    match rate {
        Some(Rate { count, of, rate: Some(value), low: Some(low), high: Some(high), .. }) => format!(
            "{} of {} ({}; between {} and {})",
            grouped(*count),
            grouped(*of),
            percent(*value),
            percent(*low),
            percent(*high)
        ),
        _ => "not measured".to_owned(),
    }
}

/// `1 of 333` for 0.003.
fn times(rate: f64) -> String {
    if rate > 0.0 { format!("1 of {}", grouped((1.0 / rate).round() as u64)) } else { "no".to_owned() }
}
