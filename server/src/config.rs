//! The server's configuration: raw as typed, then valid by construction.
//!
//! `config/default.toml` documents every key and is the compiled-in default. A file may set some of the keys; an unknown
//! key, a value out of range, or an insecure combination refuses to load.
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use toml::{Table, Value};

use crate::{
    clock::Calendar,
    pool::{CompressedPools, IndexOptions},
};

mod raw;
mod siem;
#[cfg(test)]
mod tests;

pub use siem::Siem;

use raw::RawConfig;

/// The reference configuration, which is also the default of every key.
pub const DEFAULT: &str = include_str!("../config/default.toml");

/// A configuration the server can run with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Config {
    pub listen: Listen,
    pub limits: Limits,
    pub search: Search,
    pub matcher: Matcher,
    pub audit: Audit,
    pub siem: Siem,
    pub retention: Retention,
    pub identity: Identity,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// Without TLS. True only with a loopback address.
    pub plaintext: bool,
}

/// What one request, and all of them together, may take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Limits {
    pub message_bytes: usize,
    pub image_bytes: usize,
    pub image_pixels: u64,
    pub image_side_px: u32,
    pub concurrent_requests: usize,
    pub concurrent_streams: usize,
    pub stream_buffer_bytes: usize,
    pub connections: usize,
    pub request_deadline: Duration,
    pub stream_idle: Duration,
    pub drain: Duration,
}

/// Lengths of candidate lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Search {
    pub default_candidates: usize,
    pub max_candidates: usize,
    pub index: IndexOptions,
    pub compressed: CompressedPools,
    pub demonstration_operating_points: bool,
}

/// The algorithm and how much of it runs at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Matcher {
    pub pack: String,
    pub sessions: usize,
    pub queue: usize,
}

/// The audit log's own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Audit {
    pub queue: usize,
    pub queue_bytes: usize,
    pub append_timeout: Duration,
    pub content_retention_days: u32,
    pub metadata_retention_days: u32,
}

/// When the retention rules are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Retention {
    pub every: Duration,
    pub calendar: Calendar,
}

/// What a bearer token may be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented, with its unit, in config/default.toml")]
pub struct Identity {
    pub token_max_days: u32,
    pub clock_skew_s: u32,
}

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error(
        "the configuration is not valid; every key is described in the reference `server/config/default.toml`"
    )]
    Malformed(#[from] Box<toml::de::Error>),
    /// A value outside its range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// The key, with its section.
        key: &'static str,
        /// The value as given.
        value: String,
        /// What is allowed.
        range: String,
    },
    /// Plaintext on an address that others can reach.
    #[error(
        "`listen.plaintext` is set but `{address}` is not a loopback address; images and tokens would cross the network unprotected: use TLS, or listen on 127.0.0.1"
    )]
    PlaintextBeyondLoopback {
        /// The address as given.
        address: SocketAddr,
    },
}

impl Config {
    /// The configuration in `text`, with the default for every key it leaves out.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown key, a value out of range or an insecure combination.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let given: Table = toml::from_str(text).map_err(Box::new)?;
        let mut whole: Table = toml::from_str(DEFAULT).map_err(Box::new)?;
        merge(&mut whole, given);
        let raw: RawConfig = whole.try_into().map_err(Box::new)?;
        raw.check()
    }

    /// The configuration in the file at `path`.
    ///
    /// # Errors
    /// As [`Config::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        Config::parse(&text)
    }
}

impl Listen {
    /// An address with or without TLS.
    ///
    /// # Errors
    /// [`ConfigError::PlaintextBeyondLoopback`] for plaintext on an address that other machines can reach.
    pub fn new(address: SocketAddr, plaintext: bool) -> Result<Listen, ConfigError> {
        if plaintext && !address.ip().is_loopback() {
            return Err(ConfigError::PlaintextBeyondLoopback { address });
        }
        Ok(Listen { address, plaintext })
    }
}

/// The reference file with another address and pack: what `init` writes.
pub(crate) fn render(address: SocketAddr, pack: &str) -> String {
    let mut text = String::with_capacity(DEFAULT.len());
    for line in DEFAULT.lines() {
        if line.starts_with("address = ") {
            text.push_str(&format!("address = {}", Value::from(address.to_string())));
        } else if line.starts_with("pack = ") {
            text.push_str(&format!("pack = {}", Value::from(pack)));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// Lays `given` over `whole`, section by section. Unknown keys land in `whole` too, and are refused when it is read.
fn merge(whole: &mut Table, given: Table) {
    for (key, value) in given {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}
