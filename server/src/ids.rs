//! Which one: identifiers of subjects, images, audit events, erasures and applications.
//!
//! All are UUIDv7 (RFC 9562): they start with the time of their making, so that rows which are made together lie
//! together on disk, and end in 74 random bits. One type each, so that an image cannot be asked for by
//! a subject's id.

use jiff::Timestamp;
use uuid::{NoContext, Uuid};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id made at `now` (milliseconds count; a time before 1970 counts as 1970).
            pub fn at(now: Timestamp) -> Self {
                Self(version_7(now))
            }

            /// Wraps an id that was made elsewhere.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Wraps the 16 bytes of an id as stored.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id as a UUID.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// The 16 bytes of the id, most significant first.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// When the id was made, to the millisecond; `None` when it is not a UUIDv7.
            pub fn time(&self) -> Option<Timestamp> {
                let (seconds, nanoseconds) = self.0.get_timestamp()?.to_unix();
                Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError { length: text.len() })
            }
        }
    };
}

id!(
    /// A person as one pool knows them. The same human being in two pools has two subject ids.
    SubjectId
);
id!(
    /// One image of one subject.
    ImageId
);
id!(
    /// One entry of the audit log.
    EventId
);
id!(
    /// One erasure: of its ledger entry and of its certificate.
    ErasureId
);
id!(
    /// One application for deletion.
    ApplicationId
);

/// The text is not an id.
#[derive(Debug, thiserror::Error)]
#[error(
    "not an id: expected a UUID such as `01890a5d-ac96-774b-bcce-b302099a8057`, got {length} bytes of other text"
)]
pub struct IdError {
    length: usize,
}

fn version_7(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let nanoseconds = u32::try_from(milliseconds % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, milliseconds / 1000, nanoseconds))
}

/// The smallest id that could have been made at `time`: ids below it were made earlier.
pub(crate) fn first_at(time: Timestamp) -> [u8; 16] {
    let mut bytes = [0; 16];
    let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ids_carry_their_time_and_order_by_it() {
        let early: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        let late: Timestamp = "2026-01-02T03:04:05.680Z".parse().unwrap();
        let (a, b) = (EventId::at(early), EventId::at(late));
        assert_eq!(a.time().unwrap().to_string(), "2026-01-02T03:04:05.678Z");
        assert!(a < b && a != EventId::at(early));
        assert!(a.as_bytes()[..] < first_at(late)[..] && b.as_bytes()[..] >= first_at(late)[..]);
        assert_eq!(EventId::at(Timestamp::MIN).time().unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(a.to_string().parse::<EventId>().unwrap(), a);
        assert_eq!(serde_json::to_string(&a).unwrap(), format!("\"{a}\""));
    }

    #[test]
    fn other_text_is_refused_without_repeating_it() {
        let error = "Jane Doe".parse::<ImageId>().unwrap_err().to_string();
        assert!(!error.contains("Jane"), "{error}");
    }
}
