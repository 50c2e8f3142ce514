//! The index measurements as tables.

use super::Case;
use crate::table::Table;

pub(super) fn tables(cases: &[Case]) -> Vec<Table> {
    vec![one(cases), batches(cases), writes(cases)]
}

fn size(case: &Case) -> Vec<String> {
    vec![case.rows.to_string(), case.dimension.to_string(), format!("{:?}", case.metric).to_lowercase()]
}

fn with(case: &Case, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    size(case).into_iter().chain(cells).collect()
}

fn one(cases: &[Case]) -> Table {
    let mut table = Table::new(
        "One probe, one thread (median ms); the limit is reading the templates' bytes once",
        &[
            "templates",
            "d",
            "metric",
            "memory read",
            "GB/s",
            "mated",
            "p95",
            "not mated",
            "p95",
            "read / search",
            "FAISS alone",
            "FAISS / search",
            "mated first",
        ],
    );
    for case in cases {
        let search = f64::midpoint(case.one_mated.median_ms, case.one_other.median_ms);
        table.row(with(
            case,
            [
                format!("{:.2}", case.memory_read.median_ms),
                format!("{:.1}", case.template_bytes as f64 / 1e6 / case.memory_read.median_ms),
                format!("{:.2}", case.one_mated.median_ms),
                format!("{:.2}", case.one_mated.p95_ms),
                format!("{:.2}", case.one_other.median_ms),
                format!("{:.2}", case.one_other.p95_ms),
                format!("{:.0} %", 100.0 * case.memory_read.median_ms / search),
                format!("{:.2}", case.engine_one.median_ms),
                format!("{:.0} %", 100.0 * case.engine_one.median_ms / search),
                format!("{:.1} %", 100.0 * case.mated_first),
            ],
        ));
    }
    table
}

fn batches(cases: &[Case]) -> Table {
    let mut table = Table::new(
        "Probes per second: one at a time by threads, and in batches on one thread",
        &["templates", "d", "metric", "how", "probes/s", "FAISS alone", "reads of memory per second"],
    );
    for case in cases {
        let reads = format!("{:.1}", 1e3 / case.memory_read.median_ms);
        for threads in &case.threads {
            let how = format!("one at a time, {} thread(s)", threads.threads);
            let rate = format!("{:.1}", threads.searches_per_s);
            let alone = if threads.threads == 1 {
                format!("{:.1}", 1e3 / case.engine_one.median_ms)
            } else {
                String::new()
            };
            table.row(with(case, [how, rate, alone, reads.clone()]));
        }
        for batch in &case.batches {
            let rate = |ms: f64| format!("{:.1}", 1e3 / ms);
            let how = format!("batches of {}", batch.probes);
            table.row(with(
                case,
                [how, rate(batch.ms_per_probe), rate(batch.engine_ms_per_probe), reads.clone()],
            ));
        }
    }
    table
}

fn writes(cases: &[Case]) -> Table {
    let mut table = Table::new(
        "Writes",
        &["templates", "d", "metric", "insert rows/s", "remove one (median ms)", "p95", "remove many rows/s"],
    );
    for case in cases {
        table.row(with(
            case,
            [
                format!("{:.0}", case.insert_rows_per_s),
                format!("{:.2}", case.remove_one.median_ms),
                format!("{:.2}", case.remove_one.p95_ms),
                format!("{:.0}", case.remove_many_rows_per_s),
            ],
        ));
    }
    table
}
