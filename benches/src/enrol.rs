//! How many images a second does the bulk call enrol, durably and audited, and what share of the pipeline's rate is
//! that?
//!
//! Synthetic persons, one plain capture each, are rendered beforehand and sent through one `EnrolStream` call over
//! TLS on loopback to a server in a process of its own. The pipeline alone turns a part of the same images into
//! embeddings before that, in this process, with one session per core, while the server is idle.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use likeness_matcher::{Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{Home, Pack};
use likeness_proto::v1::enrol_response::Outcome;
use likeness_proto::v1::{EnrolRequest, FaceSelection, face_selection::Choice};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::{Connection, POOL, Server};
use crate::{images, table::Table};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Images to enrol.
    #[arg(long, default_value_t = 600)]
    images: u64,
    /// Keep the server's data here (made when absent; images enrolled earlier are not enrolled again).
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// What became of the images that were sent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Enrolled {
    /// Stored and searchable now.
    pub enrolled: usize,
    /// There already.
    pub already: usize,
    /// Refused.
    pub refused: usize,
    /// From the first message to the last answer.
    pub seconds: f64,
}

#[derive(Debug, Serialize)]
struct Results {
    stream: Enrolled,
    images_per_s: f64,
    /// The pipeline alone, all cores.
    pipeline_images_per_s: f64,
    share_of_pipeline: f64,
    server_memory_mib: Option<u64>,
}

/// Runs the measurement.
///
/// # Errors
/// When the server does not start or ends the stream early.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let server = Server::start(options.data.as_deref())?;
    // Dropped before the server is: it then has no open connections to wait for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let images = images::synthetic(run.seed, 0..options.images, 0)?;
    let pipeline = pipeline_rate(&images[..images.len().min(150)])?;
    let stream = runtime.block_on(async {
        let connection = server.connect().await?;
        connection.pool().await?;
        send(&connection, 0, images).await
    })?;
    let done = stream.enrolled as f64 / stream.seconds;
    let results = Results {
        stream,
        images_per_s: done,
        pipeline_images_per_s: pipeline,
        share_of_pipeline: done / pipeline,
        server_memory_mib: server.memory_mib(),
    };
    let mut table = Table::new(
        "One bulk stream over TLS, every image durable and audited before it is acknowledged",
        &["enrolled", "refused", "seconds", "images/s", "pipeline alone", "share", "server MiB"],
    );
    table.row(vec![
        stream.enrolled.to_string(),
        stream.refused.to_string(),
        format!("{:.1}", stream.seconds),
        format!("{done:.1}"),
        format!("{pipeline:.1}"),
        format!("{:.0} %", 100.0 * results.share_of_pipeline),
        results.server_memory_mib.map_or_else(String::new, |mib| mib.to_string()),
    ]);
    ensure!(stream.enrolled > 0, "nothing was enrolled: were these images in the data folder already?");
    report(run, "enrol", circumstances, &results, &[table])
}

/// Images per second of the pipeline in this process, with one session and one caller per core.
fn pipeline_rate(images: &[Vec<u8>]) -> anyhow::Result<f64> {
    let home = Home::locate()?;
    let matcher = Matcher::open(
        &Pack::open(&home, likeness_models::DEFAULT_PACK)?,
        &home.runtime_library()?,
        &MatcherOptions::default(),
    )?;
    let cores = MatcherOptions::default().sessions;
    let began = Instant::now();
    std::thread::scope(|scope| {
        for part in images.chunks(images.len().div_ceil(cores).max(1)) {
            let matcher = &matcher;
            scope.spawn(move || {
                for image in part {
                    // A refusal takes about as long as a success, and the stream meets the same ones.
                    let _ = matcher.analyse(image, &Selection::Largest, &QualityPolicy::default());
                }
            });
        }
    });
    Ok(images.len() as f64 / began.elapsed().as_secs_f64())
}

/// Sends the images as persons `first`, `first + 1` and so on, one image each, through one stream.
///
/// # Errors
/// When the server ends the stream before the last answer.
pub async fn send(connection: &Connection, first: u64, images: Vec<Vec<u8>>) -> anyhow::Result<Enrolled> {
    let (messages, stream) = mpsc::channel(64);
    let context = connection.context("record_management");
    let sending = tokio::spawn(async move {
        for (person, image) in (first..).zip(images) {
            let request = EnrolRequest {
                context: (person == first).then(|| context.clone()),
                pool: if person == first { POOL.to_owned() } else { String::new() },
                subject_reference: format!("p{person:07}"),
                source_reference: format!("p{person:07}/0.jpg"),
                image: image.into(),
                selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
                ..EnrolRequest::default()
            };
            // An ended stream is reported by its answers.
            if messages.send(request).await.is_err() {
                return;
            }
        }
    });
    let began = Instant::now();
    let mut answers = connection.enrolment().enrol_stream(ReceiverStream::new(stream)).await?.into_inner();
    let mut counted = Enrolled::default();
    while let Some(answer) = answers.message().await? {
        match answer.outcome() {
            Outcome::Enrolled => counted.enrolled += 1,
            Outcome::AlreadyEnrolled => counted.already += 1,
            Outcome::Held | Outcome::Refused | Outcome::Unspecified => counted.refused += 1,
        }
    }
    counted.seconds = began.elapsed().as_secs_f64();
    sending.await?;
    Ok(counted)
}
