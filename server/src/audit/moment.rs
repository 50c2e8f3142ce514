//! Times in entries: RFC 3339, UTC, always three decimals, so that equal times are equal bytes.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// The time cut to whole milliseconds, as an entry keeps it.
pub(super) fn to_millisecond(time: Timestamp) -> Timestamp {
    // In range: the result lies at most a millisecond from `time`, toward 1970.
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(deserializer)
}

/// The same for a time that may be absent.
pub(super) mod option {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(in crate::audit) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::audit) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<Timestamp>::deserialize(deserializer)
    }
}
