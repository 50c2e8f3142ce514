//! The page's part about exact search.

use super::{Page, Results, rows_said, table};
use crate::plot::{Panel, bars, short, shown};
use crate::search::case::{Case, Entry};
use crate::search::turns::Cell;
use crate::search::{LIMIT, OURS};

/// Rivals in the main table, by the start of their names, and the column's title.
const RIVALS: [(&str, &str); 6] = [
    ("FAISS Flat", "FAISS Flat"),
    ("FAISS SQfp16", "SQfp16"),
    ("FAISS SQ8", "SQ8"),
    ("usearch exact i8", "usearch i8"),
    ("usearch exact f16", "f16"),
    ("usearch exact f32", "f32"),
];

fn entry<'a>(case: &'a Case, name: &str) -> Option<&'a Entry> {
    case.contestants.iter().find(|entry| entry.name.starts_with(name))
}

/// Milliseconds per probe in the contestant's best turn: the one that other work disturbed least.
fn best(case: &Case, name: &str, probes: usize, threads: usize) -> Option<f64> {
    Some(cell(case, name, probes, threads)?.call.least_ms / probes as f64)
}

fn cell<'a>(case: &'a Case, name: &str, probes: usize, threads: usize) -> Option<&'a Cell> {
    entry(case, name)?.cells.iter().find(|cell| cell.probes == probes && cell.threads == threads)
}

fn told<T>(value: Option<T>, say: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), say)
}

pub(super) fn section(page: &Page<'_>, results: &Results) -> anyhow::Result<String> {
    let cases = &results.searches;
    let mut text = String::new();
    if !cases.is_empty() {
        draw(page, cases)?;
        text += "### Exact search, 50 best\n\n";
        text += &shown(page.shown, "search", "Milliseconds per probe of each exact index");
        text += "\nOne probe, one thread. *Read* is reading as many bytes as our codes take, as fast as one core can; *GB/s* and the \
                 share are of all these bytes, though of templates of 256 dimensions and more compared by cosine a search reads \
                 half of each code, and the other half of few: its share can be above 100 %. *Times* say how many times longer \
                 another library takes for the same probe. Medians in ms; shares and *times* are \
                 of best turns, which other work on the machine disturbs least.\n\n";
        text += &one_probe(cases);
        text += "Batches on one thread (ms per probe, best turns), and two threads:\n\n";
        text += &batches(cases);
        text += "Memory (growth of resident memory), and writes:\n\n";
        text += &costs(cases);
        text += &found(cases);
        for left_out in cases.iter().flat_map(|case| case.left_out.iter().map(move |reason| (case, reason))) {
            let (case, reason) = left_out;
            text += &format!("- Left out at {} x {}: {reason}\n", rows_said(case.rows), case.dimension);
        }
        text += "\n";
    }
    text += &agreement(results);
    text += &changes(results);
    Ok(text)
}

fn size(case: &Case) -> Vec<String> {
    vec![format!("{} x {}", rows_said(case.rows), case.dimension)]
}

fn one_probe(cases: &[Case]) -> String {
    let mut columns = vec!["templates", "ours, median", "GB/s", "read, median", "share of read rate"];
    columns.extend(RIVALS.iter().map(|rival| rival.1));
    let rows = cases.iter().map(|case| {
        let mut row = size(case);
        let median = |name| Some(cell(case, name, 1, 1)?.call.median_ms);
        let (ours, read) = (best(case, OURS, 1, 1), best(case, LIMIT, 1, 1));
        row.push(told(median(OURS), short));
        row.push(told(ours, |ms| format!("{:.1}", case.read_bytes as f64 / 1e6 / ms)));
        row.push(told(median(LIMIT), short));
        row.push(told(read.zip(ours), |(read, ours)| format!("{:.0} %", 100.0 * read / ours)));
        for (name, _) in RIVALS {
            let times = best(case, name, 1, 1).zip(ours);
            row.push(told(times, |(theirs, ours)| format!("{:.1} times", theirs / ours)));
        }
        row
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

fn batches(cases: &[Case]) -> String {
    let columns = [
        "templates",
        "ours, 16",
        "ours, 256",
        "rate of one",
        "FAISS Flat, 256",
        "best other, 256",
        "2 threads: ours, one",
        "scales",
        "read scales",
        "ours, 256",
        "FAISS Flat, 256",
    ];
    let rows = cases.iter().map(|case| {
        let mut row = size(case);
        let ours = |probes, threads| best(case, OURS, probes, threads);
        let flat = |threads| best(case, "FAISS Flat", 256, threads);
        let others = RIVALS.iter().filter_map(|(name, _)| best(case, name, 256, 1)).min_by(f64::total_cmp);
        row.push(told(ours(16, 1), short));
        row.push(told(ours(256, 1), short));
        row.push(told(ours(1, 1).zip(ours(256, 1)), |(one, each)| format!("{:.1} times", one / each)));
        row.push(told(flat(1), short));
        row.push(told(others, short));
        row.push(told(ours(1, 2), short));
        row.push(told(ours(1, 1).zip(ours(1, 2)), |(one, two)| format!("{:.2} times", one / two)));
        let read = best(case, LIMIT, 1, 1).zip(best(case, LIMIT, 1, 2));
        row.push(told(read, |(one, two)| format!("{:.2} times", one / two)));
        row.push(told(ours(256, 2), short));
        row.push(told(flat(2), short));
        row
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

fn costs(cases: &[Case]) -> String {
    let columns = [
        "templates",
        "full precision in",
        "ours, bytes per template",
        "per dimension",
        "FAISS Flat",
        "SQ8",
        "usearch i8",
        "ours: inserted rows/s",
        "built in",
        "remove one (ms)",
        "removed rows/s",
        "FAISS SQ8: remove one (ms)",
        "usearch i8: remove one (ms)",
    ];
    let rows = cases.iter().filter_map(|case| {
        let ours = entry(case, OURS)?;
        let bytes =
            |name| told(entry(case, name).map(|entry| entry.bytes_per_template), |b| format!("{b:.0}"));
        let one = |name| told(entry(case, name).and_then(|entry| Some(entry.removal?.one_ms)), short);
        let removal = ours.removal?;
        let mut row = size(case);
        row.push(case.tier.clone());
        row.push(format!("{:.0}", ours.bytes_per_template));
        row.push(format!("{:.2}", ours.bytes_per_template / case.dimension as f64));
        row.extend(["FAISS Flat", "FAISS SQ8", "usearch exact i8"].map(bytes));
        row.push(format!("{:.0}", case.rows as f64 / ours.build_seconds));
        row.push(format!("{:.1} s", ours.build_seconds));
        row.push(short(removal.one_ms));
        row.push(format!("{:.0}", removal.many_rows_per_s));
        row.extend(["FAISS SQ8", "usearch exact i8"].map(one));
        Some(row)
    });
    table(&columns, &rows.collect::<Vec<_>>())
}

fn found(cases: &[Case]) -> String {
    let (compared, wrong) =
        cases.iter().fold((0, 0), |(all, wrong), case| (all + case.compared, wrong + case.differences));
    let worst = |name: &str| {
        let shares = cases.iter().filter_map(|case| entry(case, name)?.recall);
        shares.map(|recall| (recall[0], recall[2])).min_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)))
    };
    let mut text = format!(
        "All {compared} answers of ours in these tables were compared with the right ones, to the last bit of \
         similarity: {wrong} differed. Rounded rows alone do not find all: "
    );
    let said: Vec<String> =
        [("FAISS SQ8", "FAISS SQ8"), ("FAISS SQfp16", "SQfp16"), ("usearch exact i8", "usearch i8")]
            .into_iter()
            .filter_map(|(name, title)| {
                let (mated, others) = worst(name)?;
                Some(format!(
                    "{title} at worst {:.1} % of the first ten for mated probes and {:.1} % for others",
                    100.0 * mated,
                    100.0 * others
                ))
            })
            .collect();
    text += &said.join(", ");
    text + ".\n\n"
}

fn agreement(results: &Results) -> String {
    let mut text = String::new();
    for one in &results.agreement {
        text += &format!(
            "**{} probes against {} x {} ({:?}): {} answers differ from brute force**, {} of them undecided by it; {} probes \
             asked alone: {} differ.\n\n",
            one.probes,
            rows_said(one.rows),
            one.dimension,
            one.metric,
            one.differences,
            one.undecided,
            one.asked_alone,
            one.differences_alone
        );
    }
    text
}

fn changes(results: &Results) -> String {
    let rows: Vec<Vec<String>> = results
        .changes
        .iter()
        .flat_map(|one| one.beside.iter().map(move |beside| (one, beside)))
        .map(|(one, beside)| {
            let search = beside.search;
            vec![
                format!("{} x {}", rows_said(one.rows), one.dimension),
                beside.change.clone(),
                short(search.median_ms),
                short(search.p99_ms),
                short(search.most_ms),
                told(beside.rows_per_s, |rate| format!("{rate:.0}")),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let columns = ["templates", "meanwhile", "median (ms)", "p99", "most", "rows/s written"];
    format!("Searches on one thread while another writes:\n\n{}", table(&columns, &rows))
}

fn draw(page: &Page<'_>, cases: &[Case]) -> anyhow::Result<()> {
    let panels: Vec<Panel> = cases
        .iter()
        .map(|case| {
            let mut shown: Vec<(String, f64, usize)> = case
                .contestants
                .iter()
                .filter_map(|entry| {
                    let colour = match entry.name.as_str() {
                        OURS => 0,
                        LIMIT => 1,
                        name if name.starts_with("FAISS") => 2,
                        _ => 3,
                    };
                    let name = entry.name.split(" (").next().unwrap_or_default().to_owned();
                    let cell = entry.cells.iter().find(|cell| cell.probes == 1 && cell.threads == 1)?;
                    Some((name, cell.call.median_ms, colour))
                })
                .collect();
            shown[2..].sort_by(|left, right| left.1.total_cmp(&right.1));
            let title = format!(
                "{} templates x {}, one probe, one thread, median",
                rows_said(case.rows),
                case.dimension
            );
            Panel { title, bars: shown }
        })
        .collect();
    bars(page.folder, "search", "ms", &panels)
}
