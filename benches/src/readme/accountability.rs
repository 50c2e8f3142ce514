//! The page's part about what accountability costs, and what the time of a refusal tells.

use serde_json::Value;

use super::{Results, table};
use crate::plot::short;

pub(super) fn section(results: &Results) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let number = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    if let Some(found) = &results.accountability {
        rows.push(vec![
            "searches/s with the durable audit log, as a share of those without, 16 clients".to_owned(),
            format!("{:.1} %", 100.0 * number(found, "/throughput_share")),
        ]);
        rows.push(vec![
            "what it adds to the median latency of a search".to_owned(),
            format!("{} ms", short(number(found, "/median_latency_added_ms"))),
        ]);
    }
    if let Some(found) = &results.authority {
        rows.push(vec![
            format!("one authorisation decision, median over {} of every kind", number(found, "/decisions")),
            format!("{:.1} µs", 1e3 * number(found, "/decide/median_ms")),
        ]);
    }
    let pairs = results.refusals.iter().flat_map(|found| found["pairs"].as_array().into_iter().flatten());
    for pair in pairs {
        rows.push(vec![
            format!("refusal: {}", pair["question"].as_str().unwrap_or_default()),
            format!(
                "{} against {} ms, median",
                short(number(pair, "/there/median_ms")),
                short(number(pair, "/absent/median_ms"))
            ),
        ]);
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("### What accountability costs\n\n{}", table(&["what", "measured"], &rows))
}
