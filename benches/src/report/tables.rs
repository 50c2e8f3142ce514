//! The words and tables of a report. No rate stands without its counts and its interval.

use maud::{Markup, html};

use crate::evaluate::record::{
    ComparisonsRecord, Counts, Demographic, Metrics, OperatingPoint, Part, SearchesRecord,
};
use crate::metrics::Rate;

/// What was run, on what, with what.
pub fn header(metrics: &Metrics, title: &str, id: &str) -> Markup {
    html! {
        h1 { (title) }
        p.faint { "Report " code { (id) } " (SHA-256 of metrics.json) by " (metrics.tool.name) " " (metrics.tool.version)
            ", seed " (metrics.seed) "." }
        @if metrics.dataset.synthetic {
            p.warn { "The faces were made by a generator. Error rates on them say nothing about error rates on people, and no
                threshold for operational use follows from them." }
        }
        table {
            tr { th.text { "data set" } td.text { (metrics.dataset.name) ", " (metrics.dataset.files) " files, digest "
                code { (metrics.dataset.digest) } } }
            @match &metrics.pack {
                Some(pack) => {
                    tr { th.text { "algorithm" } td.text { (pack.name) " " (pack.version) ", digest " code { (pack.digest) } } }
                    @if let Some(space) = &pack.space_id { tr { th.text { "space" } td.text { code { (space) }
                        @if let Some(metric) = &pack.metric { ", " (metric) } } } }
                }
                None => tr { th.text { "algorithm" } td.text { "not stated" } },
            }
            tr { th.text { "run digest" } td.text { code { (metrics.run_digest) } } }
        }
        p.faint { "A candidate is intelligence, never an identification. A similarity is not a probability." }
    }
}

/// Images and failures.
pub fn counts(counts: &Counts) -> Markup {
    let row = |name: &str, part: &Option<Part>| {
        html! { @if let Some(part) = part {
            tr { td { (name) } td { (part.images) } td { (part.subjects) } td { (part.images_failed) } td { (part.subjects_failed) } }
        } }
    };
    html! {
        h2 { "Images" }
        table {
            tr { th { "part" } th { "images" } th { "people" } th { "images without template" } th { "people without template" } }
            (row("references", &counts.references))
            (row("probes, mated", &counts.mated_probes))
            (row("probes, non-mated", &counts.non_mated_probes))
        }
        @if !counts.refusals.is_empty() {
            p { "Refused: " @for (number, (code, count)) in counts.refusals.iter().enumerate() {
                @if number > 0 { ", " } (count) " × " code { (code) } } "." }
        }
    }
}

/// A rate with everything that belongs to it.
pub fn rate(rate: &Rate) -> Markup {
    html! {
        @match (rate.rate, rate.low, rate.high) {
            (Some(value), Some(low), Some(high)) => {
                (short(value)) " " span.faint { "(" (rate.count) "/" (rate.of) "; " (short(low)) "–" (short(high))
                    @if let Some(b) = &rate.bootstrap { "; by subject " (short(b.low)) "–" (short(b.high)) } ")" }
            }
            _ => "none measured",
        }
    }
}

/// Four digits that matter.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() < 0.001 {
        format!("{value:.2e}")
    } else {
        format!("{value:.4}")
    }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn refused(point: &OperatingPoint, columns: usize) -> Markup {
    html! {
        td.refused colspan=(columns) {
            "not stated: " (grouped(point.have.unwrap_or_default())) " non-mated trials; " (grouped(point.needed.unwrap_or_default())) " are needed"
        }
    }
}

/// One-to-many results.
pub fn searches(record: &SearchesRecord) -> Markup {
    html! {
        h2 { "One-to-many" }
        p.faint { "Lists of " (record.list_length) " candidates, " (record.gallery) " gallery. Ties: " (record.tie_rule) "." }
        h3 { "Identification mode: FNIR at a threshold for each FPIR" }
        div.scroll { table {
            tr { th { "N" } th { "target FPIR" } th { "threshold" } th { "FPIR measured" } th { "FNIR" } th { "candidates per search" } }
            @for size in record.sizes.iter().rev() { @for point in &size.operating_points {
                tr {
                    td { (size.subjects) } td { (point.target_fpir.unwrap_or_default()) }
                    @if let (Some(at), Some(fpir), Some(fnir)) = (point.threshold, &point.fpir, &point.fnir) {
                        td { (format!("{at:.4}")) } td { (rate(fpir)) } td { (rate(fnir)) }
                        td { (point.selectivity.map(short).unwrap_or_default()) }
                    } @else { (refused(point, 4)) }
                }
            } }
        } }
        h3 { "Investigation mode: the mate is not within the first ranks of the list" }
        div.scroll { table {
            tr { th { "N" } th { "mated searches" } @if let Some(size) = record.sizes.last() { @for point in &size.cmc {
                th { "rank " (point.rank) } } } }
            @for size in record.sizes.iter().rev() {
                tr { td { (size.subjects) } td { (size.mated_searches) }
                    @for point in &size.cmc { td { (point.fnir.rate.map(short).unwrap_or_default()) } } }
            }
        } }
        @if let Some(first) = record.sizes.last().and_then(|size| size.cmc.first()) {
            p { "Rank-one miss rate in the whole gallery: " (rate(&first.fnir)) "." }
        }
    }
}

/// One-to-one results.
pub fn comparisons(record: &ComparisonsRecord) -> Markup {
    html! {
        h2 { "One-to-one" }
        p { (record.mated) " mated and " (record.non_mated) " non-mated comparisons; "
            (record.mated_failed) " mated and " (record.non_mated_failed) " non-mated could not be made." }
        div.scroll { table {
            tr { th { "target FMR" } th { "threshold" } th { "FMR measured" } th { "FNMR" } }
            @for point in &record.operating_points {
                tr {
                    td { (point.target_fmr.unwrap_or_default()) }
                    @if let (Some(at), Some(fmr), Some(fnmr)) = (point.threshold, &point.fmr, &point.fnmr) {
                        td { (format!("{at:.4}")) } td { (rate(fmr)) } td { (rate(fnmr)) }
                    } @else { (refused(point, 3)) }
                }
            }
        } }
        @if let Some(folds) = &record.folds {
            p { "Cross validation over " (folds.accuracy.len()) " folds: accuracy " (format!("{:.4} ± {:.4}", folds.mean, folds.standard_error))
                " (mean and standard error; each fold at the threshold that is best for the others)." }
        }
        @if !record.at.is_empty() {
            h3 { "At given thresholds" }
            div.scroll { table {
                tr { th { "threshold" } th.text { "why" } th { "FMR" } th { "FNMR" } th { "FAR, failures included" } th { "FRR, failures included" } }
                @for at in &record.at {
                    tr { td { (format!("{:.4}", at.threshold)) } td.text { (at.why) } td { (rate(&at.fmr)) } td { (rate(&at.fnmr)) }
                        td { (rate(&at.far)) } td { (rate(&at.frr)) } }
                }
            } }
        }
    }
}

/// Differences between groups.
pub fn demographics(all: &[Demographic]) -> Markup {
    html! {
        h2 { "Demographic groups" }
        p.faint { "Groups are labels that came with the data. One threshold for all groups. False positives and false negatives are
            different harms; both are shown. Ratios leave out groups with fewer trials than stated; p is Fisher's exact test of a group
            against all others, corrected for the number of groups." }
        div.scroll { table {
            tr { th.text { "groups by" } th.text { "errors" } th.text { "threshold" } th { "max / min" } th { "max / geometric mean" }
                th.text { "largest" } th { "groups counted" } th { "smallest p" } }
            @for one in all {
                @let d = &one.differential;
                tr {
                    td { (d.by.join(" × ").replace('_', " ")) }
                    td.text { (one.measure.replace('_', " ")) }
                    td.text { (format!("{:.4}", one.threshold)) " (" (one.why) ")" }
                    td { (ratio(d.max_over_min, d.half_error_added)) }
                    td { (ratio(d.max_over_geometric_mean, d.half_error_added)) }
                    td.text { (d.worst.as_ref().map(|worst| worst.join(", ")).unwrap_or_default()) }
                    td { (d.cells.iter().filter(|cell| cell.counted).count()) " of " (d.cells.len()) " (≥ " (d.minimum_trials) ")" }
                    td { (d.cells.iter().filter_map(|cell| cell.p_value).reduce(f64::min).map(short).unwrap_or_default()) }
                }
            }
        } }
        p.faint { "* a group without errors entered with half an error (continuity rule)." }
        @for one in all { (cells(one)) }
    }
}

/// Every group behind a ratio, with its counts and interval.
fn cells(one: &Demographic) -> Markup {
    html! {
        details {
            summary { (one.measure.replace('_', " ")) " by " (one.differential.by.join(" × ").replace('_', " "))
                " at " (format!("{:.4}", one.threshold)) " (" (one.why) "): " (one.differential.cells.len()) " groups" }
            div.scroll { table {
                tr { th { "group" } th { "errors of trials" } th { "p" } }
                @for cell in &one.differential.cells {
                    tr {
                        td { (cell.values.join(", ")) @if !cell.counted { " (too few trials for a ratio)" } }
                        td { (rate(&cell.rate)) }
                        td { (cell.p_value.map(short).unwrap_or_default()) }
                    }
                }
            } }
        }
    }
}

fn ratio(value: Option<f64>, half: bool) -> Markup {
    html! { @match value { Some(value) => { (format!("{value:.2}")) @if half { "*" } }, None => "–" } }
}

/// What the words mean.
pub fn definitions(metrics: &Metrics) -> Markup {
    html! {
        h2 { "How to read this" }
        p { "A score at the threshold counts as above it. FMR: non-mated comparisons at or above the threshold. FNMR: mated comparisons below.
            FPIR(N, T): searches for people who are not enrolled that return at least one candidate at or above T. FNIR(N, R, T): searches for
            enrolled people whose mate is outside the first R candidates or below T. A probe without a template counts as a miss when mated and
            as a search without candidates when not; a person without a template stays in N and is missed." }
        p { "Threshold for a target: the k-th largest non-mated score (of searches: their best scores), k = target × trials rounded down. When
            scores tie so that more than k are at or above it, the next larger score; the measured rate never exceeds the target. Nothing
            is stated at a rate with fewer than " (metrics.minimum_events) " expected errors." }
        p { "Intervals in parentheses: " (format!("{:.0}", metrics.confidence * 100.0)) " %, for independent trials; “by subject” draws people
            instead of trials, where people have several. FPIR grows with N: a rate measured at one gallery size must not be carried
            to one more than twice as large." }
    }
}
