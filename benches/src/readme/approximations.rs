//! The page's part about approximate indexes.

use super::{Page, Results, rows_said, table};
use crate::approximate::{Case, Kind, Point};
use crate::plot::{Axes, Line, lines, short, shown};

pub(super) fn section(page: &Page<'_>, results: &Results) -> anyhow::Result<String> {
    if results.approximate.is_empty() {
        return Ok(String::new());
    }
    let mut text = "### Where approximate indexes win, and what that costs\n\n".to_owned();
    for case in &results.approximate {
        let has = |what: &str| case.kinds.iter().any(|kind| kind.name.contains(what));
        let family = match (has("HNSW"), has("compressed")) {
            (true, _) => "graphs",
            (_, true) => "compressed",
            _ => "inverted",
        };
        let name = format!("recall-{family}-{}x{}", case.rows, case.dimension);
        draw(page, case, &name)?;
        text += &shown(page.shown, &name, "Recall of approximate indexes against time per probe");
    }
    text += "\nEach index at the first setting that finds 99.9 % of the right first ten, for mated probes and for others; \
             or, where no setting does, at its best. One thread, medians; ours by turns on the same probes, exact.\n\n";
    let columns = [
        "templates",
        "index",
        "setting",
        "recall@10 mated / others",
        "one probe (ms)",
        "ours",
        "batch of 256 (ms each)",
        "ours",
        "bytes per template",
        "ours",
        "built in (s)",
        "ours",
        "erasure",
    ];
    let rows: Vec<Vec<String>> = results
        .approximate
        .iter()
        .flat_map(|case| case.kinds.iter().filter_map(move |kind| row(case, kind)))
        .collect();
    text += &table(&columns, &rows);
    for case in &results.approximate {
        for kind in &case.kinds {
            text += &verdict(case, kind);
        }
    }
    Ok(text + "\n")
}

/// The first point that finds nearly all; otherwise the one that finds most.
fn chosen(kind: &Kind) -> Option<&Point> {
    let found = |point: &Point| point.recall[0] + point.recall[2];
    kind.points
        .iter()
        .find(|point| point.finds_nearly_all())
        .or_else(|| kind.points.iter().max_by(|a, b| found(a).total_cmp(&found(b))))
}

fn row(case: &Case, kind: &Kind) -> Option<Vec<String>> {
    let point = chosen(kind)?;
    let erasure = match &kind.removal {
        Ok(removal) => format!("{} ms a row", short(removal.one_ms)),
        Err(_) => "cannot".to_owned(),
    };
    Some(vec![
        format!("{} x {}", rows_said(case.rows), case.dimension),
        kind.name.clone(),
        format!("{} {}", kind.setting, point.value),
        format!("{:.3} / {:.3}", point.recall[0], point.recall[2]),
        short(point.one.median_ms),
        short(point.ours_one.median_ms),
        short(point.batch_ms),
        short(point.ours_batch_ms),
        format!("{:.0}", kind.bytes_per_template),
        format!("{:.0}", case.ours_bytes_per_template),
        format!("{:.1}", kind.build_seconds),
        format!("{:.1}", case.ours_build_seconds),
        erasure,
    ])
}

/// A sentence: who is faster, when nearly all must be found.
fn verdict(case: &Case, kind: &Kind) -> String {
    let Some(point) = chosen(kind) else { return String::new() };
    let about = format!("- {} at {} x {}: ", kind.name, rows_said(case.rows), case.dimension);
    if !point.finds_nearly_all() {
        return about
            + &format!(
                "no setting tried finds 99.9 % of the first ten; at most {:.1} % for mated probes and {:.1} % for others.\n",
                100.0 * point.recall[0],
                100.0 * point.recall[2]
            );
    }
    let compared = |theirs: f64, ours: f64| {
        if theirs < ours {
            format!("it is {} times as fast as exact search", short(ours / theirs))
        } else {
            format!("exact search is {} times as fast", short(theirs / ours))
        }
    };
    let (one, batch) = (
        compared(point.one.median_ms, point.ours_one.median_ms),
        compared(point.batch_ms, point.ours_batch_ms),
    );
    about + &format!("finding 99.9 % of the first ten, for one probe {one}; in batches of 256 {batch}.\n")
}

fn draw(page: &Page<'_>, case: &Case, name: &str) -> anyhow::Result<()> {
    let mut all = Vec::new();
    let mut ours = Vec::new();
    for (at, kind) in case.kinds.iter().enumerate() {
        let of = |which: usize| {
            kind.points.iter().map(|point| (point.one.median_ms, point.recall[which])).collect::<Vec<_>>()
        };
        ours.extend(kind.points.iter().map(|point| point.ours_one.median_ms));
        all.push(Line { name: format!("{}, mated probes", kind.name), points: of(0), colour: 2 * at + 2 });
        all.push(Line { name: format!("{}, other probes", kind.name), points: of(2), colour: 2 * at + 3 });
    }
    ours.sort_by(f64::total_cmp);
    if let Some(&median) = ours.get(ours.len() / 2) {
        all.insert(
            0,
            Line { name: "ours, certified exact".to_owned(), points: vec![(median, 1.0)], colour: 0 },
        );
    }
    let title = format!(
        "{} templates x {}: share of the right first ten that is found",
        rows_said(case.rows),
        case.dimension
    );
    let axes = Axes { title: &title, x: "ms per probe, one thread", y: "recall@10", log_x: true };
    lines(page.folder, name, &axes, &all)
}
