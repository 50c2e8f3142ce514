//! Migrations of pools go on by themselves while the server runs: after a restart, from where they were.
use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::service::Service;

/// Pause when there is nothing to do, and after a failure.
const IDLE: Duration = Duration::from_millis(250);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Carries on until the server stops.
pub(super) async fn carry_on(service: Arc<Service>, mut stopping: watch::Receiver<bool>) {
    loop {
        let working = Arc::clone(&service);
        let pause = match tokio::task::spawn_blocking(move || working.carry_on_migrations()).await {
            Ok(Ok(true)) => Duration::ZERO,
            Ok(Ok(false)) => IDLE,
            Ok(Err(error)) => {
                tracing::error!(?error, "a migration cannot go on; it is tried again");
                AFTER_FAILURE
            }
            Err(error) => {
                tracing::error!(%error, "a migration broke off; it is tried again");
                AFTER_FAILURE
            }
        };
        // A dropped sender ends the wait like a stop.
        if tokio::time::timeout(pause, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            return;
        }
    }
}
