//! Security events for those who watch many systems: one JSON line per audit entry and per anomaly, to a file or a syslog receiver.
//!
//! The audit log is the spool. A thread reads it from a saved position and moves the position on only when the receiver has had its
//! chance to fail, so that every event arrives at least once, whatever was down in between; nothing waits for the receiver, nothing is
//! held in memory but one piece of the log.

mod cursor;
mod event;
mod sink;
mod syslog;
#[cfg(test)]
mod tests;

pub use event::FIELDS;

use crate::audit::AuditLog;
use crate::audit::anomaly::{AnomalyRules, Watch};
use crate::clock::Clock;
use crate::config::Siem;
use crate::data::DataDir;
use cursor::Cursor;
use jiff::SignedDuration;
use sink::Sink;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries read at a time.
const PIECE: usize = 100;
/// How long to wait when there is nothing new.
const IDLE: Duration = Duration::from_millis(500);
/// First and longest wait before a receiver that failed is tried again.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];
/// How far back the anomaly rules look when the feed starts; the longest of them counts within a week.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 8);

/// Why the feed does not start, or stopped for now.
#[derive(Debug, thiserror::Error)]
pub enum SiemError {
    /// A file could not be read or written.
    #[error("security feed: {0}")]
    File(#[from] crate::durable::FileError),
    /// The receiver cannot be reached, or closed the connection.
    #[error("security feed: `{to}`: {source}")]
    Receiver {
        /// Where.
        to: String,
        /// What the operating system or TLS said.
        source: std::io::Error,
    },
    /// The certificate authority cannot be used.
    #[error("security feed: the certificate authority `{file}` cannot be used: {why}")]
    Authority {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The log cannot be read.
    #[error("security feed: {0}")]
    Audit(#[from] crate::audit::AuditError),
    /// The thread cannot be started.
    #[error("security feed: cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The running feed. Dropping it stops it; what was not confirmed is sent again at the next start.
pub struct Feed {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// Starts the feed, when one is configured.
    ///
    /// # Errors
    /// [`SiemError`] when what is configured can never work: a missing certificate authority, an unreadable position.
    pub fn start(
        audit: Arc<dyn AuditLog>,
        rules: &AnomalyRules,
        config: &Siem,
        data: &DataDir,
        clock: &dyn Clock,
    ) -> Result<Option<Self>, SiemError> {
        let Some(sink) = Sink::configured(config, data)? else { return Ok(None) };
        let cursor = Cursor::open(data)?;
        let from = clock.now().checked_sub(LOOK_BACK).ok();
        let seen = from.map(|from| audit.span(Some(from), None)).transpose()?.map_or(0, |span| span.start);
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let mut run = Run { audit, watch: rules.watch(), watched: seen, sink, cursor, stop: stop.clone() };
        let thread = std::thread::Builder::new().name("siem".into()).spawn(move || run.run());
        Ok(Some(Self { stop, thread: Some(thread.map_err(SiemError::Thread)?) }))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the security feed panicked");
        }
    }
}

struct Run {
    audit: Arc<dyn AuditLog>,
    watch: Watch,
    /// Entries before this one were shown to the rules, or lie too far back.
    watched: u64,
    sink: Sink,
    cursor: Cursor,
    stop: Arc<(Mutex<bool>, Condvar)>,
}

impl Run {
    fn run(&mut self) {
        let mut wait = RETRY[0];
        loop {
            // From the last confirmed position: what was sent since may not have arrived.
            let before = self.cursor.position();
            let ended = self.forward();
            if self.cursor.position() > before {
                wait = RETRY[0];
            }
            match ended {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "security events wait in the audit log; trying again"),
            }
            if self.stopped_within(wait) {
                return;
            }
            wait = (wait * 2).min(RETRY[1]);
        }
    }

    /// Forwards until it is stopped (`Ok`) or something fails.
    fn forward(&mut self) -> Result<(), SiemError> {
        self.sink.connect()?;
        let mut next = self.cursor.position();
        loop {
            let entries = self.audit.entries(next, PIECE)?;
            let mut lines = Vec::with_capacity(entries.len());
            for stored in &entries {
                self.look_until(stored.index)?;
                let flags = if stored.index >= self.watched {
                    self.watched = stored.index + 1;
                    self.watch.observe(&stored.entry)
                } else {
                    // Sent again: its flags were raised the first time, and are on their way with it once more if that failed.
                    self.cursor.flags_of(stored.index)
                };
                self.cursor.remember(stored.index, &flags);
                lines.extend(event::of(stored, &flags));
                next = stored.index + 1;
            }
            self.sink.send(&lines, next)?;
            if let Some(confirmed) = self.sink.confirmed()? {
                self.cursor.advance(confirmed)?;
            }
            if entries.is_empty() && self.stopped_within(IDLE) {
                return Ok(());
            }
            if self.stopped_within(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    /// Shows the rules what lies between: entries that were sent before the feed started.
    fn look_until(&mut self, index: u64) -> Result<(), SiemError> {
        while self.watched < index {
            let piece = self.audit.entries(self.watched, PIECE)?;
            if piece.is_empty() {
                return Ok(());
            }
            for stored in piece.iter().filter(|stored| stored.index < index) {
                self.watch.observe(&stored.entry);
                self.watched = stored.index + 1;
            }
        }
        Ok(())
    }

    fn stopped_within(&self, wait: Duration) -> bool {
        let stop = self.stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stop.1.wait_timeout_while(stop, wait, |stop| !*stop);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
