//! The page's part about a bulk expiry.

use serde_json::Value;

use super::{Results, table};
use crate::plot::short;

pub(super) fn section(results: &Results) -> String {
    let Some(found) = &results.expiry else { return String::new() };
    let number = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let list = |name: &str| found[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let meanwhile = list("meanwhile");
    let idle = meanwhile.first().map_or(f64::NAN, |before| number(before, "/search/median_ms"));
    let rows: Vec<Vec<String>> = meanwhile
        .iter()
        .map(|one| {
            let [median, p95] = ["/search/median_ms", "/search/p95_ms"].map(|path| number(one, path));
            let [subjects, seconds] = ["/done/0", "/done/1"].map(|path| number(one, path));
            vec![
                one["what"].as_str().unwrap_or_default().to_owned(),
                if seconds.is_nan() { String::new() } else { short(seconds) },
                if seconds.is_nan() { String::new() } else { short(subjects / seconds) },
                short(median),
                format!("{:.2}", median / idle),
                short(p95),
            ]
        })
        .collect();
    let head = ["meanwhile they are", "s", "subjects/s", "search, median ms", "against before", "p95 ms"];
    let disk: Vec<Vec<String>> = list("disk")
        .iter()
        .map(|part| {
            let mib = |path: &str| number(part, path) / f64::from(1 << 20);
            let (before, after) = (mib("/before"), mib("/after"));
            let mut row = vec![part["part"].as_str().unwrap_or_default().to_owned()];
            row.extend([before, after, before - after].map(|mib| format!("{mib:.1}")));
            row
        })
        .collect();
    format!(
        "### A fifth of the pool becomes due\n\n{} references of {} subjects; {} subjects with {} references become due on one day. The \
         scheduler puts them beyond use, and erases them when that time is over, while one client searches without a pause.\n\n{}\n\
         Disk in MiB, with {} bytes in place of each image:\n\n{}",
        short(number(found, "/references")),
        short(number(found, "/subjects")),
        short(number(found, "/due_subjects")),
        short(number(found, "/due_references")),
        table(&head, &rows),
        short(number(found, "/image_bytes")),
        table(&["part", "before", "after", "returned"], &disk),
    )
}
