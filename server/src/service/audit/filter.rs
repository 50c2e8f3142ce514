//! Which entries an auditor looks for.
use jiff::Timestamp;

use crate::{
    audit::{AuditError, AuditLog, Entry, Operation, Outcome, StoredEntry},
    ids::{EventId, ImageId, SubjectId},
    service::{Refusal, fields::Fields},
};

/// Longest text in a filter, in characters.
const LONGEST_FILTER_TEXT: usize = 256;

/// A filter as it was sent; empty fields do not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is documented in audit.proto")]
pub struct FilterFields {
    pub person: String,
    pub organisation: String,
    pub subject_id: String,
    pub image_id: String,
    pub probe_sha256: Vec<u8>,
    pub system_name: String,
    pub reference_id: String,
    pub purpose_code: String,
    pub pool: String,
    pub operation: String,
    pub outcome: String,
    pub rpc: String,
    pub event_id: String,
    pub from: String,
    pub until: String,
}

/// A filter that makes sense.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    texts: Vec<(Text, String)>,
    pub(super) subject: Option<SubjectId>,
    pub(super) image: Option<ImageId>,
    probe: Option<[u8; 32]>,
    operation: Option<Operation>,
    outcome: Option<Outcome>,
    pub(super) event: Option<EventId>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// What must occur in the bytes of every entry that is found, so that the others need not be read.
    needles: Vec<Vec<u8>>,
}

/// A field that is compared as text.
#[derive(Debug, Clone, Copy)]
enum Text {
    Person,
    Organisation,
    System,
    Reference,
    Purpose,
    Pool,
    Rpc,
}

impl Text {
    fn of(self, entry: &Entry) -> Option<&str> {
        match self {
            Text::Person => entry.actor.as_ref().map(|actor| actor.subject.as_str()),
            Text::Organisation => entry.actor.as_ref().and_then(|actor| actor.organisation.as_deref()),
            Text::System => entry.system_name.as_deref(),
            Text::Reference => entry.reference_id.as_deref(),
            Text::Purpose => entry.purpose_code.as_deref(),
            Text::Pool => entry.pool.as_ref().map(|pool| pool.name.as_str()),
            Text::Rpc => Some(entry.rpc.as_str()),
        }
    }
}

impl FilterFields {
    pub(super) fn check(&self) -> Result<Filter, Refusal> {
        let mut fields = Fields::default();
        let mut filter = Filter::default();
        for (name, which, value) in [
            ("filter.person", Text::Person, &self.person),
            ("filter.organisation", Text::Organisation, &self.organisation),
            ("filter.system_name", Text::System, &self.system_name),
            ("filter.reference_id", Text::Reference, &self.reference_id),
            ("filter.purpose_code", Text::Purpose, &self.purpose_code),
            ("filter.pool", Text::Pool, &self.pool),
            ("filter.rpc", Text::Rpc, &self.rpc),
        ] {
            fields.optional(name, value, LONGEST_FILTER_TEXT);
            if !value.is_empty() {
                filter.need(value);
                filter.texts.push((which, value.clone()));
            }
        }
        filter.subject = id("filter.subject_id", &self.subject_id, &mut fields);
        filter.image = id("filter.image_id", &self.image_id, &mut fields);
        filter.event = id("filter.event_id", &self.event_id, &mut fields);
        for text in [
            filter.subject.map(|id| id.to_string()),
            filter.image.map(|id| id.to_string()),
            filter.event.map(|id| id.to_string()),
        ] {
            text.iter().for_each(|text| filter.need(text));
        }
        filter.operation =
            word("filter.operation", &self.operation, &Operation::ALL, Operation::code, &mut fields);
        filter.outcome = word("filter.outcome", &self.outcome, &Outcome::ALL, Outcome::code, &mut fields);
        if !self.probe_sha256.is_empty() {
            match <[u8; 32]>::try_from(self.probe_sha256.as_slice()) {
                Ok(digest) => filter.probe = Some(digest),
                Err(_) => fields.wrong("`filter.probe_sha256` has not 32 bytes"),
            }
        }
        filter.from = time("filter.from", &self.from, &mut fields);
        filter.until = time("filter.until", &self.until, &mut fields);
        fields.finish()?;
        Ok(filter)
    }

    /// What is recorded of the question. Who looks for somebody is part of the audit; a digest of a face is not repeated.
    pub(super) fn told(&self) -> String {
        let digest = if self.probe_sha256.is_empty() { "" } else { "given" };
        let all = [
            ("person", self.person.as_str()),
            ("organisation", &self.organisation),
            ("subject_id", &self.subject_id),
            ("image_id", &self.image_id),
            ("probe_sha256", digest),
            ("system_name", &self.system_name),
            ("reference_id", &self.reference_id),
            ("purpose_code", &self.purpose_code),
            ("pool", &self.pool),
            ("operation", &self.operation),
            ("outcome", &self.outcome),
            ("rpc", &self.rpc),
            ("event_id", &self.event_id),
            ("from", &self.from),
            ("until", &self.until),
        ];
        let given = all.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

impl Filter {
    fn need(&mut self, text: &str) {
        // As it stands in JSON, without the quotes: escapes included.
        if let Ok(json) = serde_json::to_string(text) {
            self.needles.push(json.trim_matches('"').as_bytes().to_vec());
        }
    }

    /// False when the entry cannot match, from its bytes alone.
    pub(super) fn may_match(&self, body: &[u8]) -> bool {
        self.needles.iter().all(|needle| memchr::memmem::find(body, needle).is_some())
    }

    /// Whether the entry is one that is looked for.
    pub(super) fn matches(&self, stored: &StoredEntry, log: &dyn AuditLog) -> Result<bool, AuditError> {
        let entry = &stored.entry;
        let plain = self.texts.iter().all(|(which, wanted)| which.of(entry) == Some(wanted))
            && self.subject.is_none_or(|id| {
                entry.subjects.contains(&id)
                    || entry.candidates.iter().any(|shown| shown.subject_id == id)
                    || entry.withheld.iter().any(|kept| kept.subject_id == id)
            })
            && self.image.is_none_or(|id| {
                entry.images.contains(&id) || entry.candidates.iter().any(|shown| shown.image_id == id)
            })
            && self.event.is_none_or(|id| entry.event_id == id || entry.related == Some(id))
            && self.operation.is_none_or(|operation| entry.operation == operation)
            && self.outcome.is_none_or(|outcome| entry.outcome == Some(outcome))
            && self.from.is_none_or(|from| entry.occurred_at >= from)
            && self.until.is_none_or(|until| entry.occurred_at < until);
        match (&self.probe, plain) {
            (_, false) => Ok(false),
            (None, true) => Ok(true),
            (Some(sha256), true) => probe_matches(entry, sha256, log),
        }
    }
}

/// Whether the probe of this event, or of the search it belongs to, has this SHA-256.
fn probe_matches(entry: &Entry, sha256: &[u8; 32], log: &dyn AuditLog) -> Result<bool, AuditError> {
    let holder = match (&entry.probe, entry.related) {
        (None, _) => return Ok(false),
        (Some(probe), _) if probe.digest.is_some() => Some((entry.event_id, probe.digest.clone())),
        (Some(_), Some(whole)) => log
            .entry(whole)?
            .and_then(|stored| Some((stored.entry.event_id, Some(stored.entry.probe?.digest?)))),
        (Some(_), None) => None,
    };
    let Some((event, recorded)) = holder else { return Ok(false) };
    Ok(log.probe_digest(event, sha256)?.is_some_and(|digest| Some(digest) == recorded))
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: &str,
    fields: &mut Fields,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    text.parse().map_err(|error| fields.wrong(format!("`{name}` is {error}"))).ok()
}

fn word<T: Copy>(
    name: &str,
    text: &str,
    all: &[T],
    code: impl Fn(T) -> &'static str,
    fields: &mut Fields,
) -> Option<T> {
    let found = all.iter().copied().find(|word| code(*word) == text);
    if found.is_none() && !text.is_empty() {
        let known: Vec<&str> = all.iter().map(|word| code(*word)).collect();
        fields.wrong(format!("`{name}` is not one of: {}", known.join(", ")));
    }
    found
}

pub(super) fn time(name: &str, text: &str, fields: &mut Fields) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    let wrong = format!("`{name}` is not a time such as 2026-01-31T09:00:00Z");
    text.parse().map_err(|_| fields.wrong(wrong)).ok()
}
