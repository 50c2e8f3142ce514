//! The pipeline measurements as tables.

use super::Results;
use crate::table::Table;

pub(super) fn tables(results: &Results) -> Vec<Table> {
    let title = format!(
        "Images per second: {} images ({}), pack {}, {:.1} network runs an image",
        results.images, results.source, results.pack, results.runs_per_image
    );
    let mut rates = Table::new(&title, &["threads", "pipeline", "floor", "share of floor"]);
    for threads in &results.threads {
        rates.row(vec![
            threads.threads.to_string(),
            format!("{:.1}", threads.pipeline_images_per_s),
            format!("{:.1}", threads.floor_images_per_s),
            format!("{:.1} %", 100.0 * threads.share_of_floor),
        ]);
    }
    let mut stages = Table::new(
        "Time per image by stage, one thread (ms)",
        &["stage", "median", "p95", "bare sessions (mean)"],
    );
    for stage in &results.stages {
        stages.row(vec![
            stage.name.to_owned(),
            format!("{:.2}", stage.time.median_ms),
            format!("{:.2}", stage.time.p95_ms),
            stage.floor_ms.map_or_else(String::new, |ms| format!("{ms:.2}")),
        ]);
    }
    vec![rates, stages]
}
