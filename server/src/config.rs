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

use serde::Deserialize;
use thiserror::Error;
use toml::{Table, Value};

#[cfg(test)]
mod tests;

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

/// The configuration as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    listen: RawListen,
    limits: RawLimits,
    search: RawSearch,
    matcher: RawMatcher,
    audit: RawAudit,
    identity: RawIdentity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListen {
    address: SocketAddr,
    plaintext: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    message_bytes: u64,
    image_bytes: u64,
    image_pixels: u64,
    image_side_px: u64,
    concurrent_requests: u64,
    concurrent_streams: u64,
    stream_buffer_bytes: u64,
    connections: u64,
    request_deadline_ms: u64,
    stream_idle_ms: u64,
    drain_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSearch {
    default_candidates: u64,
    max_candidates: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatcher {
    pack: String,
    #[serde(default)]
    sessions: Option<u64>,
    queue: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAudit {
    queue: u64,
    queue_bytes: u64,
    append_timeout_ms: u64,
    content_retention_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIdentity {
    token_max_days: u64,
    clock_skew_s: u64,
}

impl RawConfig {
    fn check(self) -> Result<Config, ConfigError> {
        let RawConfig { listen, limits, search, matcher, audit, identity } = self;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let message_bytes = within("limits.message_bytes", limits.message_bytes, 65_536, 67_108_864)?;
        // A message holds two images at most (compare); room is left for everything that is not an image.
        let image_bytes =
            within("limits.image_bytes", limits.image_bytes, 16_384, limits.message_bytes - 16_384)?;
        let max_candidates = within("search.max_candidates", search.max_candidates, 1, 200)?;
        if matcher.pack.is_empty() {
            return Err(out_of_range("matcher.pack", "empty", "the name of a model pack"));
        }
        Ok(Config {
            listen: Listen::new(listen.address, listen.plaintext)?,
            limits: Limits {
                message_bytes,
                image_bytes,
                image_pixels: within("limits.image_pixels", limits.image_pixels, 10_000, 400_000_000)?,
                image_side_px: within("limits.image_side_px", limits.image_side_px, 128, 65_535)?,
                concurrent_requests: within(
                    "limits.concurrent_requests",
                    limits.concurrent_requests,
                    1,
                    4096,
                )?,
                concurrent_streams: within("limits.concurrent_streams", limits.concurrent_streams, 1, 64)?,
                stream_buffer_bytes: within(
                    "limits.stream_buffer_bytes",
                    limits.stream_buffer_bytes,
                    2 * limits.message_bytes,
                    17_179_869_184,
                )?,
                connections: within("limits.connections", limits.connections, 1, 65_536)?,
                request_deadline: millis(
                    "limits.request_deadline_ms",
                    limits.request_deadline_ms,
                    100,
                    600_000,
                )?,
                stream_idle: millis("limits.stream_idle_ms", limits.stream_idle_ms, 1000, 3_600_000)?,
                drain: millis("limits.drain_ms", limits.drain_ms, 0, 600_000)?,
            },
            search: Search {
                default_candidates: within(
                    "search.default_candidates",
                    search.default_candidates,
                    1,
                    search.max_candidates,
                )?,
                max_candidates,
            },
            matcher: Matcher {
                pack: matcher.pack,
                sessions: match matcher.sessions {
                    Some(sessions) => within("matcher.sessions", sessions, 1, 1024)?,
                    None => cores,
                },
                queue: within("matcher.queue", matcher.queue, 1, 65_536)?,
            },
            audit: Audit {
                queue: within("audit.queue", audit.queue, 1, 65_536)?,
                queue_bytes: within(
                    "audit.queue_bytes",
                    audit.queue_bytes,
                    2 * limits.message_bytes,
                    17_179_869_184,
                )?,
                append_timeout: millis("audit.append_timeout_ms", audit.append_timeout_ms, 100, 600_000)?,
                content_retention_days: within(
                    "audit.content_retention_days",
                    audit.content_retention_days,
                    1,
                    36_525,
                )?,
            },
            identity: Identity {
                token_max_days: within("identity.token_max_days", identity.token_max_days, 1, 366)?,
                clock_skew_s: within("identity.clock_skew_s", identity.clock_skew_s, 0, 300)?,
            },
        })
    }
}

fn out_of_range(key: &'static str, value: impl ToString, range: impl Into<String>) -> ConfigError {
    ConfigError::OutOfRange { key, value: value.to_string(), range: range.into() }
}

fn within<T: TryFrom<u64>>(key: &'static str, value: u64, least: u64, most: u64) -> Result<T, ConfigError> {
    if !(least..=most).contains(&value) {
        return Err(out_of_range(key, value, format!("{least} to {most}")));
    }
    T::try_from(value).map_err(|_| out_of_range(key, value, "smaller on this machine"))
}

fn millis(key: &'static str, value: u64, least: u64, most: u64) -> Result<Duration, ConfigError> {
    within::<u64>(key, value, least, most).map(Duration::from_millis)
}
