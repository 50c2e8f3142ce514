//! What approximate searches miss is measured by itself while the server runs: after the start, and again when a pool has changed.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::service::Service;

/// Pause between two looks at whether a measurement is due.
const BETWEEN: Duration = Duration::from_secs(1);
/// Of the time, a measurement takes one part in so many at most, on one core: a pool that keeps growing is not measured all the time.
const SHARE: u32 = 10;
/// Pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Measures until the server stops. Without a pool that is searched approximately there is nothing to do.
pub(super) async fn keep_measured(service: Arc<Service>, mut stopping: watch::Receiver<bool>) {
    if !service.has_compressed_pools() {
        return;
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    loop {
        let (working, stop) = (Arc::clone(&service), Arc::clone(&cancelled));
        let began = Instant::now();
        let mut measuring = tokio::task::spawn_blocking(move || working.measure_recall(&stop));
        let done = tokio::select! {
            measured = &mut measuring => Some(measured),
            // A dropped sender ends the work like a stop.
            _ = stopping.wait_for(|stopping| *stopping) => None,
        };
        let measured = match done {
            Some(measured) => measured,
            None => {
                cancelled.store(true, Ordering::Relaxed);
                measuring.await
            }
        };
        let pause = match measured {
            Ok(Ok(())) => BETWEEN.max(began.elapsed() * (SHARE - 1)),
            Ok(Err(error)) => {
                tracing::error!(%error, "what approximate searches miss could not be measured; it is tried again");
                AFTER_FAILURE
            }
            Err(error) => {
                tracing::error!(%error, "measuring what approximate searches miss broke off; it is tried again");
                AFTER_FAILURE
            }
        };
        if tokio::time::timeout(pause, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            return;
        }
    }
}
