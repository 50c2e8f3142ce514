//! The page's part about the pipeline and the service.

use super::{Page, Results, rows_said, table};
use crate::pipeline;
use crate::plot::{Axes, Line, Panel, bars, lines, short, shown};

pub(super) fn section(page: &Page<'_>, results: &Results) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some(measured) = &results.pipeline {
        text += &pipeline_part(page, measured)?;
    }
    text += &service_part(page, results)?;
    Ok(text)
}

fn pipeline_part(page: &Page<'_>, measured: &pipeline::Results) -> anyhow::Result<String> {
    let panels: Vec<Panel> = measured
        .sizes
        .iter()
        .flat_map(|size| size.threads.iter().map(move |threads| (size, threads)))
        .map(|(size, threads)| {
            let mut shown = vec![
                ("pipeline".to_owned(), threads.pipeline, 0),
                ("bare ONNX sessions".to_owned(), threads.floor, 1),
            ];
            shown.extend(threads.peer.map(|rate| ("Python, OpenCV, onnxruntime".to_owned(), rate, 2)));
            Panel { title: format!("{}, {} thread(s)", size.source, threads.threads), bars: shown }
        })
        .collect();
    bars(page.folder, "pipeline", "images/s", &panels)?;
    let mut text = "### Image bytes to embedding\n\n".to_owned();
    text += &shown(
        page.shown,
        "pipeline",
        "Images per second of the pipeline, the bare sessions and a Python script",
    );
    text += "\n";
    let rows: Vec<Vec<String>> = measured
        .sizes
        .iter()
        .flat_map(|size| size.threads.iter().map(move |threads| (size, threads)))
        .map(|(size, threads)| {
            let far = size
                .peer_distance
                .map_or_else(|| "–".to_owned(), |far| format!("{:.3} / {:.3}", far[0], far[1]));
            vec![
                size.source.clone(),
                threads.threads.to_string(),
                format!("{:.1}", threads.pipeline),
                format!("{:.0} %", 100.0 * threads.share_of_floor),
                threads
                    .share_of_networks
                    .map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
                threads.times_peer.map_or_else(|| "–".to_owned(), |times| format!("{times:.2} times")),
                far,
            ]
        })
        .collect();
    let columns = [
        "images",
        "threads",
        "images/s",
        "share of the bare sessions",
        "of the networks as the pipeline runs them",
        "as fast as Python",
        "distance from Python's embeddings, median / most",
    ];
    text += &table(&columns, &rows);
    let names = measured.sizes.first().map_or(&[][..], |size| &size.stages[..]);
    let rows: Vec<Vec<String>> = measured
        .sizes
        .iter()
        .map(|size| {
            let mut row = vec![size.source.clone()];
            row.extend(size.stages.iter().map(|stage| {
                let floor = stage.floor_ms.map_or_else(String::new, |ms| format!(" ({})", short(ms)));
                format!("{}{floor}", short(stage.time.median_ms))
            }));
            row
        })
        .collect();
    let mut columns = vec!["ms per image, one thread (networks alone)"];
    columns.extend(names.iter().map(|stage| stage.name.as_str()));
    Ok(text + &table(&columns, &rows))
}

fn service_part(page: &Page<'_>, results: &Results) -> anyhow::Result<String> {
    let mut text = String::new();
    if !results.services.is_empty() {
        text += "### The service: TLS, authorisation, durable audit, 50 candidates\n\n";
        let line = |at: usize, of: &dyn Fn(&crate::service::Clients) -> f64| {
            let service = &results.services[at];
            let points =
                service.clients.iter().map(|clients| (clients.clients as f64, of(clients))).collect();
            Line { name: format!("{} templates", rows_said(service.gallery)), points, colour: 2 * at }
        };
        let every = 0..results.services.len();
        let rates: Vec<Line> = every.map(|at| line(at, &|clients| clients.searches_per_s)).collect();
        let axes = Axes {
            title: "Searches per second by number of clients",
            x: "clients",
            y: "searches/s",
            log_x: true,
        };
        lines(page.folder, "service", &axes, &rates)?;
        text += &shown(page.shown, "service", "Searches per second by number of clients");
        text += "\n";
        let rows: Vec<Vec<String>> = results
            .services
            .iter()
            .flat_map(|service| service.clients.iter().map(move |clients| (service, clients)))
            .map(|(service, clients)| {
                let call = clients.call;
                vec![
                    rows_said(service.gallery),
                    clients.clients.to_string(),
                    format!("{:.1}", clients.searches_per_s),
                    short(call.median_ms),
                    short(call.p95_ms),
                    short(call.p99_ms),
                ]
            })
            .collect();
        text += &table(&["templates", "clients", "searches/s", "median (ms)", "p95", "p99"], &rows);
        let mib = |mib: Option<u64>| mib.map_or_else(|| "–".to_owned(), |mib| mib.to_string());
        let rows: Vec<Vec<String>> = results
            .services
            .iter()
            .map(|service| {
                let one = &service.one_client;
                vec![
                    rows_said(service.gallery),
                    short(one.call.median_ms),
                    short(one.pipeline.median_ms),
                    short(one.index.median_ms),
                    short(one.overhead_ms),
                    format!("{:.1}", service.start_seconds),
                    mib(service.loaded_mib),
                    mib(service.server_memory_mib),
                ]
            })
            .collect();
        let columns = [
            "templates",
            "one client: call (ms)",
            "pipeline alone",
            "index alone",
            "overhead",
            "server starts in (s)",
            "MiB then",
            "MiB after",
        ];
        text += &table(&columns, &rows);
    }
    if let Some(enrol) = &results.enrol {
        let number = |name: &str| enrol.get(name).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
        text += &format!(
            "Bulk enrolment through one stream, every image durable and audited before it is acknowledged: {:.1} images/s, \
             {:.0} % of the pipeline's rate on all cores at the same time ({:.1}).\n\n",
            number("images_per_s"),
            100.0 * number("share_of_pipeline"),
            number("pipeline_images_per_s"),
        );
    }
    Ok(text)
}
