//! Where events go, and when they count as arrived.

use super::SiemError;
use super::event::Event;
use super::syslog::Syslog;
use crate::config::Siem;
use crate::data::DataDir;
use crate::durable::{self, FileError};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

/// A file or a syslog receiver.
pub(super) enum Sink {
    File { path: PathBuf, file: Option<File>, written: u64 },
    Syslog(Syslog),
}

impl Sink {
    /// What the configuration names; nothing is opened or reached yet.
    pub(super) fn configured(config: &Siem, data: &DataDir) -> Result<Option<Self>, SiemError> {
        Ok(match config {
            Siem::None => None,
            Siem::File(path) => Some(Sink::File { path: data.path().join(path), file: None, written: 0 }),
            Siem::Syslog { address, ca } => {
                let ca = ca.as_ref().map(|ca| data.path().join(ca));
                Some(Sink::Syslog(Syslog::new(address, ca.as_deref())?))
            }
        })
    }

    /// Opens the file, or connects anew.
    pub(super) fn connect(&mut self) -> Result<(), SiemError> {
        match self {
            Sink::File { path, file, .. } => {
                if !path.exists() {
                    durable::create_file(path, b"")?;
                }
                let opened = OpenOptions::new().append(true).open(&*path);
                *file = Some(opened.map_err(failed("open", path))?);
                Ok(())
            }
            Sink::Syslog(syslog) => syslog.connect(),
        }
    }

    /// Sends events; `position` is where the log goes on after them.
    pub(super) fn send(&mut self, events: &[Event], position: u64) -> Result<(), SiemError> {
        match self {
            Sink::File { path, file, written } => {
                let Some(file) = file else { return Ok(()) };
                if !events.is_empty() {
                    let mut bytes: Vec<u8> = Vec::new();
                    for event in events {
                        bytes.extend_from_slice(event.line.as_bytes());
                        bytes.push(b'\n');
                    }
                    file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(failed("write", path))?;
                }
                *written = position;
                Ok(())
            }
            Sink::Syslog(syslog) => syslog.send(events, position),
        }
    }

    /// The position up to which everything arrived, as far as can be known; none when that has not changed.
    pub(super) fn confirmed(&mut self) -> Result<Option<u64>, SiemError> {
        match self {
            // Synced: it is there.
            Sink::File { written, .. } => Ok(Some(*written)),
            Sink::Syslog(syslog) => syslog.confirmed(),
        }
    }
}

fn failed(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}
