//! The configuration as typed, and what its values may be.
use std::{collections::BTreeSet, net::SocketAddr, num::NonZeroUsize, time::Duration};

use likeness_matcher::index::compressed::Bits;
use serde::Deserialize;

use super::{Audit, Config, ConfigError, Identity, Limits, Listen, Matcher, Retention, Search};
use crate::{
    clock::Calendar,
    keys::PoolName,
    pool::{CompressedPools, Compression, Gathering, IndexOptions},
};

/// The configuration as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    listen: RawListen,
    limits: RawLimits,
    search: RawSearch,
    matcher: RawMatcher,
    audit: RawAudit,
    siem: super::siem::RawSiem,
    retention: RawRetention,
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
    demonstration_operating_points: bool,
    #[serde(default)]
    threads: Option<u64>,
    probes_per_pass: u64,
    gather_us: u64,
    full_precision_mib: u64,
    compressed_pools: Vec<String>,
    compressed_bits: u64,
    compressed_rescored: u64,
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
    metadata_retention_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetention {
    every_minutes: u64,
    time_zone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIdentity {
    token_max_days: u64,
    clock_skew_s: u64,
}

impl RawSearch {
    fn compressed(&self) -> Result<CompressedPools, ConfigError> {
        let mut pools = BTreeSet::new();
        for name in &self.compressed_pools {
            let parsed = name.parse::<PoolName>();
            if !parsed.is_ok_and(|parsed| pools.insert(parsed)) {
                let range = "names of pools, each once";
                return Err(out_of_range("search.compressed_pools", format!("`{name}`"), range));
            }
        }
        let bits = match self.compressed_bits {
            1 => Bits::One,
            2 => Bits::Two,
            4 => Bits::Four,
            other => return Err(out_of_range("search.compressed_bits", other, "1, 2 or 4")),
        };
        let rescored = within("search.compressed_rescored", self.compressed_rescored, 100, 1_000_000)
            .map(at_least_one)?;
        Ok(CompressedPools { pools, compression: Compression { bits, rescored } })
    }
}

impl RawConfig {
    pub(super) fn check(self) -> Result<Config, ConfigError> {
        let RawConfig { listen, limits, search, matcher, audit, siem, retention, identity } = self;
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
                demonstration_operating_points: search.demonstration_operating_points,
                index: IndexOptions {
                    threads: match search.threads {
                        Some(threads) => within("search.threads", threads, 1, 1024).map(at_least_one)?,
                        None => at_least_one(cores),
                    },
                    gathering: Gathering {
                        probes: within("search.probes_per_pass", search.probes_per_pass, 1, 256)?,
                        wait: Duration::from_micros(within(
                            "search.gather_us",
                            search.gather_us,
                            0,
                            100_000,
                        )?),
                    },
                    full_precision_bytes: within::<u64>(
                        "search.full_precision_mib",
                        search.full_precision_mib,
                        0,
                        1 << 24,
                    )? << 20,
                    compression: None,
                },
                compressed: search.compressed()?,
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
                // Never shorter than that of content: what is sealed must not outlive the entry that says what it is.
                metadata_retention_days: within(
                    "audit.metadata_retention_days",
                    audit.metadata_retention_days,
                    audit.content_retention_days.max(crate::audit::LEAST_METADATA_DAYS.into()),
                    36_525,
                )?,
            },
            siem: siem.check()?,
            retention: Retention {
                every: Duration::from_secs(
                    60 * within::<u64>("retention.every_minutes", retention.every_minutes, 1, 1440)?,
                ),
                calendar: Calendar::of(&retention.time_zone).ok_or_else(|| {
                    let names = "a name of the IANA time zone database, such as Europe/London";
                    out_of_range("retention.time_zone", &retention.time_zone, names)
                })?,
            },
            identity: Identity {
                token_max_days: within("identity.token_max_days", identity.token_max_days, 1, 366)?,
                clock_skew_s: within("identity.clock_skew_s", identity.clock_skew_s, 0, 300)?,
            },
        })
    }
}

pub(super) fn out_of_range(key: &'static str, value: impl ToString, range: impl Into<String>) -> ConfigError {
    ConfigError::OutOfRange { key, value: value.to_string(), range: range.into() }
}

fn within<T: TryFrom<u64>>(key: &'static str, value: u64, least: u64, most: u64) -> Result<T, ConfigError> {
    if !(least..=most).contains(&value) {
        return Err(out_of_range(key, value, format!("{least} to {most}")));
    }
    T::try_from(value).map_err(|_| out_of_range(key, value, "smaller on this machine"))
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

fn millis(key: &'static str, value: u64, least: u64, most: u64) -> Result<Duration, ConfigError> {
    within::<u64>(key, value, least, most).map(Duration::from_millis)
}
