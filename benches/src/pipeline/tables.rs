//! The pipeline measurements as tables.

use super::{Measured, Results};
use crate::table::Table;

pub(super) fn tables(results: &Results) -> Vec<Table> {
    vec![rates(results), images(results), stages(results)]
}

fn rates(results: &Results) -> Table {
    let title = format!("Images per second, pack {}; medians of rates and of ratios", results.pack);
    let mut table = Table::new(
        &title,
        &[
            "images",
            "threads",
            "pipeline",
            "bare sessions",
            "share",
            "own networks alone",
            "share",
            "Python",
            "times Python",
        ],
    );
    for size in &results.sizes {
        for threads in &size.threads {
            table.row(vec![
                size.source.clone(),
                threads.threads.to_string(),
                format!("{:.1}", threads.pipeline),
                format!("{:.1}", threads.floor),
                format!("{:.0} %", 100.0 * threads.share_of_floor),
                threads.networks.map_or_else(String::new, |rate| format!("{rate:.1}")),
                threads.share_of_networks.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share)),
                threads.peer.map_or_else(|| "not measured".to_owned(), |rate| format!("{rate:.1}")),
                threads.times_peer.map_or_else(String::new, |times| format!("{times:.2}")),
            ]);
        }
    }
    table
}

fn images(results: &Results) -> Table {
    let mut table = Table::new(
        "The images, and how far the Python embeddings are from ours (0.6 tells two persons apart)",
        &[
            "images",
            "accepted",
            "refused",
            "median KiB",
            "network runs",
            "median distance",
            "largest",
            "missed",
        ],
    );
    for size in &results.sizes {
        let distance =
            |which: usize| size.peer_distance.map_or_else(String::new, |far| format!("{:.4}", far[which]));
        table.row(vec![
            size.source.clone(),
            size.images.to_string(),
            size.refused.to_string(),
            format!("{:.0}", size.median_bytes as f64 / 1024.0),
            format!("{:.1}", size.runs_per_image),
            distance(0),
            distance(1),
            size.peer_missed.to_string(),
        ]);
    }
    table
}

fn stages(results: &Results) -> Table {
    let mut columns = vec!["stage".to_owned()];
    for size in &results.sizes {
        columns.extend([size.source.clone(), "bare sessions".to_owned()]);
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table =
        Table::new("Time per image by stage, one thread (ms): median, and the networks alone", &columns);
    let names = results.sizes.first().map_or(&[][..], |size: &Measured| &size.stages[..]);
    for (place, stage) in names.iter().enumerate() {
        let mut cells = vec![stage.name.clone()];
        for size in &results.sizes {
            let Some(stage) = size.stages.get(place) else { continue };
            cells.push(format!("{:.2}", stage.time.median_ms));
            cells.push(stage.floor_ms.map_or_else(String::new, |ms| format!("{ms:.2}")));
        }
        table.row(cells);
    }
    table
}
