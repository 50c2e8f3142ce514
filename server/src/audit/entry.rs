//! What one entry of the log says. To record more, add an optional field here: everything else follows.

use super::{AuditError, ContentDigests, MetadataPurge, moment};
use crate::ids::{EventId, ImageId, SubjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod shown;

pub use shown::{Candidate, Withheld};

/// Version of the entry format; raised when a field changes its meaning or goes.
pub(super) const VERSION: u32 = 1;

/// One of the operations that section 62 of the Data Protection Act 2018 requires to be logged.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the Act")]
pub enum Operation {
    Collection,
    Alteration,
    Consultation,
    Disclosure,
    Combination,
    Erasure,
}

impl Operation {
    /// All six.
    pub const ALL: [Operation; 6] = [
        Operation::Collection,
        Operation::Alteration,
        Operation::Consultation,
        Operation::Disclosure,
        Operation::Combination,
        Operation::Erasure,
    ];

    /// The word in an entry.
    pub fn code(self) -> &'static str {
        match self {
            Operation::Collection => "collection",
            Operation::Alteration => "alteration",
            Operation::Consultation => "consultation",
            Operation::Disclosure => "disclosure",
            Operation::Combination => "combination",
            Operation::Erasure => "erasure",
        }
    }
}

/// Whether the entry stands before, after, or for the whole of an operation.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Written before a change of state; an outcome must follow.
    Intent,
    /// Written after the change that `related` announced.
    Outcome,
    /// The operation changed nothing: one entry for all of it.
    Single,
}

/// How the operation ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out and answered.
    Answered,
    /// The caller may not.
    Denied,
    /// The request or the image was at fault.
    Rejected,
    /// The service was at fault.
    Failed,
}

impl Outcome {
    /// All four.
    pub const ALL: [Outcome; 4] = [Outcome::Answered, Outcome::Denied, Outcome::Rejected, Outcome::Failed];

    /// The word in an entry.
    pub fn code(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Denied => "denied",
            Outcome::Rejected => "rejected",
            Outcome::Failed => "failed",
        }
    }
}

/// The pool an entry is about. One entry per pool touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolTouched {
    /// Its name, as asked for; it need not exist when the request was refused.
    pub name: String,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Embedding space, in hex: which algorithm exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// How many references could be searched at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gallery: Option<u64>,
}

/// The person who acted, as their token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The token's subject.
    pub subject: String,
    /// Their organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Their roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// To whom something was disclosed (s.62(3)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The system or person that receives it.
    pub name: String,
    /// Their organisation.
    pub organisation: String,
}

/// A field that was changed, before and after. Never personal content: a field that holds some is given by digests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it was; absent when it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is now; absent when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How a request was decided, and on what that rests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// Whether it was allowed.
    pub allowed: bool,
    /// Ids of the policies that decided; none when nothing permitted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// What went wrong in the evaluation; any error denies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The reason of the red line that would have been crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_line: Option<String>,
    /// Which policy set: the start of its SHA-256, hex.
    pub policy_set: String,
}

/// What is recorded about a probe. Its pixels are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// What kind of source it is from, for example `cctv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// Under what authority it was acquired (R43a).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquired_under: Option<String>,
    /// The investigation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub investigation_ref: Option<String>,
    /// What is being investigated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offence_type: Option<String>,
    /// What was done to the image before it came here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// Media type found by decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Pixels across.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Digest of the image's SHA-256 under the event's content key, in hex; filled in by the log. Says whether an image was the
    /// probe, until the key is destroyed with the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One event. Fields that were not given stay absent: nothing is recorded as known that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Format version; set by [`Entry::new`].
    version: u32,
    /// Identifies the event, everywhere.
    pub event_id: EventId,
    /// When, to the millisecond.
    #[serde(with = "moment")]
    pub occurred_at: Timestamp,
    /// Before, after, or all of it.
    pub phase: Phase,
    /// How it ended; absent for an intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What was done or attempted.
    pub operation: Operation,
    /// Which call, for example `Search.Search`.
    pub rpc: String,
    /// The pool touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolTouched>,
    /// The calling system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_name: Option<String>,
    /// The caller's own id for this interaction (R6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// For which purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_code: Option<String>,
    /// Why, in the person's words (R2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Who; absent when nobody was authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// How it was decided; absent when it never came to a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Authorisation>,
    /// With which probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// What was shown, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What was met and not shown, because it is under a protected view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// Images touched otherwise: enrolled, read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageId>,
    /// Subjects touched otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectId>,
    /// To whom it was disclosed; there for every disclosure that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
    /// What an alteration changed, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Change>,
    /// Numbers worth keeping, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// Stable code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The event this one is the outcome of, or is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<EventId>,
    /// Settings that bear on the result, by name: face selection, quality policy, threshold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// Set by a purge: content of events before this time may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    pub content_purged_before: Option<Timestamp>,
    /// Set by an erasure: the content of these events may be gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_erased: Vec<EventId>,
    /// Set by a purge of entries: which of them are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_purged: Option<MetadataPurge>,
    /// Keyed digests of the content; filled in by the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentDigests>,
    /// Version of the program that wrote the entry.
    pub server_version: String,
}

impl Entry {
    /// An entry with a fresh event id, and nothing known yet.
    pub fn new(now: Timestamp, rpc: &str, operation: Operation, phase: Phase) -> Self {
        Self {
            version: VERSION,
            event_id: EventId::at(now),
            occurred_at: moment::to_millisecond(now),
            phase,
            outcome: None,
            operation,
            rpc: rpc.to_owned(),
            pool: None,
            system_name: None,
            reference_id: None,
            purpose_code: None,
            justification: None,
            actor: None,
            decision: None,
            probe: None,
            candidates: Vec::new(),
            withheld: Vec::new(),
            images: Vec::new(),
            subjects: Vec::new(),
            recipient: None,
            changes: BTreeMap::new(),
            counts: BTreeMap::new(),
            refusal: None,
            related: None,
            notes: BTreeMap::new(),
            content_purged_before: None,
            content_erased: Vec::new(),
            metadata_purged: None,
            content: None,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The outcome that closes this intent: a fresh event with the same caller, pool and probe.
    pub fn to_outcome(&self, now: Timestamp, outcome: Outcome) -> Self {
        Self {
            event_id: EventId::at(now),
            occurred_at: moment::to_millisecond(now),
            phase: Phase::Outcome,
            outcome: Some(outcome),
            related: Some(self.event_id),
            content: None,
            content_purged_before: None,
            content_erased: Vec::new(),
            metadata_purged: None,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..self.clone()
        }
    }

    /// Version of the format the entry was written in.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether phase, outcome and relation fit together.
    pub(super) fn check(&self) -> Result<(), AuditError> {
        let invalid = |why| Err(AuditError::Invalid(why));
        match (self.phase, self.outcome, self.related) {
            (Phase::Intent, Some(_), _) => invalid("an intent has no outcome yet"),
            (Phase::Outcome | Phase::Single, None, _) => invalid("the outcome is missing"),
            (Phase::Outcome, _, None) => invalid("an outcome must name its intent"),
            _ if self.operation == Operation::Disclosure
                && self.outcome == Some(Outcome::Answered)
                && self.recipient.is_none() =>
            {
                invalid("a disclosure must name its recipient")
            }
            _ if self.version != VERSION => invalid("the entry is of another version"),
            _ => Ok(()),
        }
    }
}
