//! Which plots a report has, made of the counts in `metrics.json`.

use maud::{Markup, PreEscaped, html};

use super::plot::{Axis, Bar, COLOURS, Plot, Series, intervals, svg};
use crate::evaluate::record::{ComparisonsRecord, Demographic, Distribution, GallerySize, QualityCurve};

/// Ranks that a CMC is drawn to: nobody reads longer lists.
const LONGEST_LIST: u32 = 50;

/// A drawing with its name, legend and reading; words instead of an empty one.
pub fn figure(title: &str, reading: &str, plot: &Plot) -> anyhow::Result<Markup> {
    if plot.empty() {
        return Ok(html! {
            figure {
                figcaption { b { (title) } (reading) }
                p { "There is nothing to draw: no point of the curve has a place on these axes. Where both kinds of error are
                    never seen at one threshold, the data set is too small or too easy for a trade-off curve." }
            }
        });
    }
    let drawing = svg(plot)?;
    Ok(html! {
        figure {
            figcaption { b { (title) } (reading) }
            (legend(&plot.series))
            (PreEscaped(drawing))
        }
    })
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul.legend {
            @for (number, series) in series.iter().enumerate() {
                // An area has a whole outline: dashes tell apart lines that cross.
                @let area = if series.filled { " area" } else { "" };
                li { i class=(format!("line-{}{area}", number % COLOURS + 1)) {} (series.name) }
            }
        }
    }
}

fn share(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Series {
    Series { name: name.into(), points, filled: false }
}

/// Error trade-off, one-to-one.
pub fn det_comparisons(runs: &[(String, &ComparisonsRecord)]) -> anyhow::Result<Markup> {
    let series: Vec<Series> = runs
        .iter()
        .map(|(name, record)| {
            let points = record.rows.iter().map(|row| {
                (share(row.non_mated_at_or_above, record.non_mated), share(row.mated_below, record.mated))
            });
            line(name.clone(), points.collect())
        })
        .collect();
    trade_off("DET: one-to-one", "false match rate (FMR)", "false non-match rate (FNMR)", series)
}

/// Error trade-off, one-to-many.
pub fn det_searches(sizes: &[(String, &GallerySize)]) -> anyhow::Result<Markup> {
    let series: Vec<Series> = sizes
        .iter()
        .map(|(name, size)| {
            let points = size.rows.iter().map(|row| {
                (
                    share(row.non_mated_with_candidate, size.non_mated_searches),
                    share(row.mated_missed, size.mated_searches),
                )
            });
            line(name.clone(), points.collect())
        })
        .collect();
    trade_off(
        "DET: one-to-many",
        "false positive identification rate (FPIR)",
        "false negative identification rate (FNIR)",
        series,
    )
}

fn trade_off(title: &str, x: &str, y: &str, series: Vec<Series>) -> anyhow::Result<Markup> {
    let all = || series.iter().flat_map(|series| series.points.iter());
    let plot = Plot {
        x: Axis::rates(x, all().map(|point| point.0)),
        y: Axis::rates(y, all().map(|point| point.1)),
        series: series.clone(),
    };
    let reading = "Nearer the lower left is better. Both axes are logarithmic; thresholds without an error on either side have no place on it.";
    figure(title, reading, &plot)
}

/// Both error rates by threshold, one-to-one.
pub fn rates_comparisons(record: &ComparisonsRecord) -> anyhow::Result<Markup> {
    let fmr =
        record.rows.iter().map(|row| (row.threshold, share(row.non_mated_at_or_above, record.non_mated)));
    let fnmr = record.rows.iter().map(|row| (row.threshold, share(row.mated_below, record.mated)));
    by_threshold(
        "FMR and FNMR by threshold",
        "rate",
        vec![line("FMR", fmr.collect()), line("FNMR", fnmr.collect())],
    )
}

/// Both error rates by threshold, one-to-many.
pub fn rates_searches(size: &GallerySize) -> anyhow::Result<Markup> {
    let fpir = size
        .rows
        .iter()
        .map(|row| (row.threshold, share(row.non_mated_with_candidate, size.non_mated_searches)));
    let fnir = size.rows.iter().map(|row| (row.threshold, share(row.mated_missed, size.mated_searches)));
    let title = format!("FPIR and FNIR by threshold, N = {}", size.subjects);
    by_threshold(&title, "rate", vec![line("FPIR", fpir.collect()), line("FNIR", fnir.collect())])
}

fn by_threshold(title: &str, y: &str, series: Vec<Series>) -> anyhow::Result<Markup> {
    let all = || series.iter().flat_map(|series| series.points.iter());
    let low = all().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let high = all().map(|point| point.0).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
    let plot = Plot {
        x: Axis::linear("threshold (similarity)", low, high),
        y: Axis::rates(y, all().map(|point| point.1)),
        series: series.clone(),
    };
    figure(title, "A score at the threshold counts as above it. A curve ends where no error was seen.", &plot)
}

/// Cumulative match characteristic.
pub fn cmc(sizes: &[(String, &GallerySize)]) -> anyhow::Result<Markup> {
    let series: Vec<Series> = sizes
        .iter()
        .map(|(name, size)| {
            let points = size
                .cmc
                .iter()
                .filter(|point| point.rank <= LONGEST_LIST)
                .map(|point| (f64::from(point.rank), 1.0 - share(point.missed, size.mated_searches)));
            line(name.clone(), points.collect())
        })
        .collect();
    let all = || series.iter().flat_map(|series| series.points.iter());
    let least = all().map(|point| point.1).fold(1.0, f64::min);
    let low = ((least * 10.0 - 0.2).floor() / 10.0).clamp(0.0, 0.9);
    let longest = all().map(|point| point.0).fold(2.0, f64::max);
    let plot = Plot {
        x: Axis::linear("rank", 1.0, longest),
        y: Axis::linear("share of mated searches", low, 1.0),
        series: series.clone(),
    };
    figure(
        "CMC",
        "Investigation mode: the mate is within the first ranks of the list, whatever its score.",
        &plot,
    )
}

/// Scores of mates and of strangers.
pub fn scores(title: &str, distribution: &Distribution) -> anyhow::Result<Markup> {
    let bins = distribution.mated.len().max(1);
    let width = (distribution.high - distribution.low) / bins as f64;
    let outline = |counts: &[u64]| {
        let total: u64 = counts.iter().sum();
        let steps = counts.iter().enumerate().flat_map(|(bin, &count)| {
            let (left, height) = (distribution.low + bin as f64 * width, share(count, total) / width);
            [(left, height), (left + width, height)]
        });
        steps.collect::<Vec<_>>()
    };
    let series = vec![
        Series { name: "mated".to_owned(), points: outline(&distribution.mated), filled: true },
        Series { name: "non-mated".to_owned(), points: outline(&distribution.non_mated), filled: true },
    ];
    let most = series.iter().flat_map(|series| &series.points).map(|point| point.1).fold(0.0, f64::max);
    let plot = Plot {
        x: Axis::linear("similarity", distribution.low, distribution.high),
        y: Axis::linear("density", 0.0, most * 1.05),
        series,
    };
    let reading = format!("Non-mated scores are those of {}. Each area is 1.", distribution.of);
    figure(title, &reading, &plot)
}

/// Error versus discard.
pub fn discard(curves: &[QualityCurve]) -> anyhow::Result<Option<Markup>> {
    let Some(first) = curves.first() else { return Ok(None) };
    let curve = |curve: &QualityCurve| {
        let points = curve.points.iter().map(|point| (point.discarded, share(point.below, point.left)));
        line(curve.component.replace('_', " "), points.collect())
    };
    let mut series: Vec<Series> = curves.iter().take(COLOURS - 1).map(curve).collect();
    series.push(line("ideal", first.points.iter().map(|point| (point.discarded, point.ideal)).collect()));
    let most = series.iter().flat_map(|series| &series.points).map(|point| point.1).fold(0.0, f64::max);
    let farthest = first.points.last().map_or(1.0, |point| point.discarded);
    let plot = Plot {
        x: Axis::linear("share set aside, worst quality first", 0.0, farthest),
        y: Axis::linear("miss rate of the rest", 0.0, (most * 1.1).max(1e-3)),
        series,
    };
    let reading = format!(
        "Threshold {:.4} ({}). A quality measure that predicts misses falls as steeply as the ideal line.",
        first.threshold, first.why
    );
    figure("Error versus discard", &reading, &plot).map(Some)
}

/// Rates of groups.
pub fn groups(demographic: &Demographic, one_to_many: bool) -> anyhow::Result<Option<Markup>> {
    let bar = |cell: &crate::metrics::Cell| {
        let rate = &cell.rate;
        let label = format!("{} ({} of {})", cell.values.join(", "), rate.count, rate.of);
        Some(Bar { label, rate: (rate.rate?, rate.low?, rate.high?) })
    };
    let bars: Vec<Bar> =
        demographic.differential.cells.iter().filter(|cell| cell.counted).filter_map(bar).collect();
    if bars.len() < 2 {
        return Ok(None);
    }
    let name = match (demographic.measure.as_str(), one_to_many) {
        ("false_positive", true) => "FPIR",
        ("false_positive", false) => "FMR",
        (_, true) => "FNIR",
        _ => "FNMR",
    };
    let drawing = intervals(name, &bars)?;
    let within = if name == "FMR" { ", pairs within a group" } else { "" };
    let title = format!("{name} by {}{within}", demographic.differential.by.join(" and ").replace('_', " "));
    let reading = format!(
        "Threshold {:.4} ({}), the same for all groups; 95 % intervals.",
        demographic.threshold, demographic.why
    );
    Ok(Some(html! { figure { figcaption { b { (title) } (reading) } (PreEscaped(drawing)) } }))
}
