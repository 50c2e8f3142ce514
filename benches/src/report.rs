//! A run for people: one HTML file that needs nothing else, made of `metrics.json` alone.

pub mod compare;
mod figures;
mod plot;
pub mod summary;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::evaluate::record::{GallerySize, Kind, Metrics};

/// Gallery sizes that are drawn: more lines than this cannot be told apart.
const DRAWN: usize = 4;

const STYLE: &str = include_str!("report/style.css");

/// The page of a run. `id` is the report id: the SHA-256 of `metrics.json`.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn page(metrics: &Metrics, id: &str) -> anyhow::Result<String> {
    let title = match metrics.kind {
        Kind::Verify => "One-to-one comparison",
        Kind::Identify => "One-to-many search",
        Kind::Score => "Scores of a matcher",
    };
    let name = format!("{title}: {}", metrics.dataset.name);
    let mut drawings: Vec<Markup> = Vec::new();
    if let Some(searches) = &metrics.searches {
        let drawn = named(&searches.sizes);
        drawings.push(figures::det_searches(&drawn)?);
        drawings.push(figures::cmc(&drawn)?);
        if let Some(full) = searches.sizes.last() {
            drawings.push(figures::rates_searches(full)?);
        }
    }
    if let Some(comparisons) = &metrics.comparisons {
        drawings.push(figures::det_comparisons(&[("all comparisons".to_owned(), comparisons)])?);
        drawings.push(figures::rates_comparisons(comparisons)?);
    }
    if let Some(distribution) = &metrics.distribution {
        drawings.push(figures::scores("Score distributions", distribution)?);
    }
    drawings.extend(figures::discard(&metrics.quality)?);
    let mut groups = Vec::new();
    for demographic in &metrics.demographics {
        // Intersections of everything are in the tables; drawn are the single attributes and the pairs.
        let one_to_many = demographic.why.starts_with("FPIR");
        if demographic.differential.by.len() < 3 {
            groups.extend(figures::groups(demographic, one_to_many)?);
        }
    }
    Ok(document(
        &name,
        &html! {
            (tables::header(metrics, &name, id))
            (tables::counts(&metrics.counts))
            @if let Some(searches) = &metrics.searches { (tables::searches(searches)) }
            @if let Some(comparisons) = &metrics.comparisons { (tables::comparisons(comparisons)) }
            h2 { "Curves" }
            div.figures { @for drawing in &drawings { (drawing) } }
            @if !metrics.demographics.is_empty() {
                (tables::demographics(&metrics.demographics))
                div.figures { @for drawing in &groups { (drawing) } }
            }
            (tables::definitions(metrics))
        },
    ))
}

/// The whole gallery and some smaller ones, with their names.
fn named(sizes: &[GallerySize]) -> Vec<(String, &GallerySize)> {
    let step = sizes.len().div_ceil(DRAWN).max(1);
    let drawn: Vec<&GallerySize> = sizes.iter().rev().step_by(step).collect();
    drawn.into_iter().map(|size| (format!("N = {}", size.subjects), size)).collect()
}

/// A page around a body.
pub(crate) fn document(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}
