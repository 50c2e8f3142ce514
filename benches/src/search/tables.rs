//! One size as tables.

use super::case::{Case, Entry};
use super::turns::Cell;
use crate::table::Table;

/// The cell of a question, when the contestant was asked it.
pub(crate) fn cell(entry: &Entry, probes: usize, threads: usize) -> Option<&Cell> {
    entry.cells.iter().find(|cell| cell.probes == probes && cell.threads == threads)
}

pub(super) fn tables(case: &Case) -> Vec<Table> {
    vec![times(case), builds(case), notes(case)]
}

fn times(case: &Case) -> Table {
    let Case { rows, dimension, limit, .. } = case;
    let title = format!(
        "{rows} templates x {dimension}, {}, {limit} best: ms per probe, median (best)",
        format!("{:?}", case.metric).to_lowercase()
    );
    let asked: Vec<(usize, usize)> =
        case.contestants[0].cells.iter().map(|cell| (cell.probes, cell.threads)).collect();
    let names: Vec<String> =
        asked.iter().map(|(probes, threads)| format!("{probes} probe(s), {threads} thread(s)")).collect();
    let mut columns = vec![""];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&title, &columns);
    for entry in &case.contestants {
        let mut cells = vec![entry.name.clone()];
        cells.extend(asked.iter().map(|&(probes, threads)| {
            cell(entry, probes, threads).map_or_else(String::new, |cell| {
                let each = |ms: f64| ms / probes as f64;
                format!("{:.3} ({:.3})", each(cell.call.median_ms), each(cell.call.least_ms))
            })
        }));
        table.row(cells);
    }
    table
}

fn builds(case: &Case) -> Table {
    let mut table = Table::new(
        "Memory, writes, and what is found",
        &[
            "",
            "bytes per template",
            "inserted rows/s",
            "remove one (ms)",
            "removed rows/s",
            "recall@10 mated",
            "@50 mated",
            "@10 others",
            "@50 others",
        ],
    );
    for entry in &case.contestants {
        let Some(removal) = entry.removal else { continue };
        let mut cells = vec![
            entry.name.clone(),
            format!("{:.0}", entry.bytes_per_template),
            format!("{:.0}", case.rows as f64 / entry.build_seconds),
            format!("{:.2}", removal.one_ms),
            format!("{:.0}", removal.many_rows_per_s),
        ];
        cells.extend(entry.recall.iter().flatten().map(|share| format!("{share:.4}")));
        table.row(cells);
    }
    table
}

fn notes(case: &Case) -> Table {
    let mut table = Table::new("Circumstances of this size", &["what", ""]);
    let mut note = |what: &str, told: String| table.row(vec![what.to_owned(), told]);
    note("our answers compared with the right ones", case.compared.to_string());
    note("differences", case.differences.to_string());
    note("our kernel; full-precision templates in", format!("{}; {}", case.kernel, case.tier));
    let [mated, others] = case.scored;
    note("rows compared in full precision, mated / other probe", format!("{mated:.0} / {others:.0}"));
    note("mated probes whose subject leads", format!("{:.1} %", 100.0 * case.mated_first));
    note("memory was read with", case.read_way.clone());
    note("FAISS was compiled with", case.faiss_flags.clone());
    for left_out in &case.left_out {
        note("left out", left_out.clone());
    }
    table
}
