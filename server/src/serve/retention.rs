//! The retention scheduler: the rules are applied by themselves while the server runs. One of it, inside the one process that has the
//! data directory; work is done in small pieces, so that searches go on and a stop loses nothing.
use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::service::Service;

/// Pause between two pieces of work: leaves the log and the disk to those who wait for an answer.
const BETWEEN: Duration = Duration::from_millis(20);
/// Pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Applies the rules until the server stops: at the start, as often as configured, and when something was recorded that may make a
/// record due.
pub(super) async fn keep_time(service: Arc<Service>, mut stopping: watch::Receiver<bool>) {
    loop {
        let working = Arc::clone(&service);
        let pause = match tokio::task::spawn_blocking(move || working.retention_turn()).await {
            Ok(Ok(true)) => BETWEEN,
            Ok(Ok(false)) => service.config().retention.every,
            Ok(Err(error)) => {
                tracing::error!(%error, "the retention rules could not be applied; it is tried again");
                AFTER_FAILURE
            }
            Err(error) => {
                tracing::error!(%error, "applying the retention rules broke off; it is tried again");
                AFTER_FAILURE
            }
        };
        let idle = pause > BETWEEN;
        tokio::select! {
            // A dropped sender ends the wait like a stop.
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = tokio::time::sleep(pause) => {}
            () = service.retention_wanted().notified(), if idle => {}
        }
    }
}
