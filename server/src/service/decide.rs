//! What people think of candidates (R57 to R59): recorded in the audit log, beside the search they are about, and nowhere else.
//!
//! A decision is an opinion of a named, trained person. It changes no record and triggers nothing.
use jiff::Timestamp;

use super::{
    Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered,
    case::{Case, named, touched},
    fields::Fields,
};
use crate::{
    audit::{Entry, Outcome, Phase, StoredEntry},
    authorise::Action,
    identity::Actor,
    ids::{EventId, SubjectId},
};

mod list;

pub use list::DecisionList;

/// Full name of the call, as entries have it.
pub const RECORD: &str = "likeness.v1.DecisionService/RecordDecision";
const SEARCH: &str = "likeness.v1.SearchService/Search";
/// Names of what an entry says about a decision.
const DECISION: &str = "decision";
const REASON: &str = "reason";
const STAGE: &str = "stage";
const FIRST: &str = "first_event";
const SECONDS: &str = "seconds_since_search";

/// The scale. There is no word on it for an identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The two may show the same person: worth corroborating by other means.
    PossibleMatch,
    /// They show different people.
    NoMatch,
    /// The images do not allow an opinion.
    Inconclusive,
}

impl Verdict {
    /// All three.
    pub const ALL: [Verdict; 3] = [Verdict::PossibleMatch, Verdict::NoMatch, Verdict::Inconclusive];

    /// The word in an entry.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::PossibleMatch => "possible_match",
            Verdict::NoMatch => "no_match",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// A decision as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionRequest {
    /// The pool that was searched.
    pub pool: String,
    /// The event of the search.
    pub search: String,
    /// The candidate.
    pub subject: String,
    /// The opinion; none when the request left it out.
    pub verdict: Option<Verdict>,
    /// What it rests on.
    pub reason: String,
    /// 1 or 2.
    pub stage: u32,
    /// Stage 2: the event of the first decision.
    pub first: String,
}

/// A decision that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionMade {
    /// Its event; none before it is recorded.
    pub event: Option<EventId>,
    /// The event of the search.
    pub search: EventId,
    /// The candidate.
    pub subject: SubjectId,
    /// 1 or 2.
    pub stage: u32,
    /// The opinion and what it rests on; none while it is withheld.
    pub opinion: Option<(Verdict, String)>,
    /// Who decided.
    pub person: String,
    /// Of which organisation.
    pub organisation: String,
    /// When.
    pub decided_at: Timestamp,
    /// From the search to the decision.
    pub seconds_since_search: u64,
    /// The first decision that a second one is about.
    pub first: Option<EventId>,
}

/// The fields of a decision, understood.
struct Checked {
    search: EventId,
    subject: SubjectId,
    verdict: Verdict,
    first: Option<EventId>,
}

impl DecisionRequest {
    fn check(&self) -> Result<Checked, Refusal> {
        let mut fields = Fields::default();
        fields.text("pool", &self.pool, 1, 64);
        let search = id("search_event_id", &self.search, &mut fields);
        let subject = id("subject_id", &self.subject, &mut fields);
        fields.text("reason", &self.reason, 8, 1000);
        if self.verdict.is_none() {
            fields.missing("decision");
        }
        let mut first = None;
        match self.stage {
            0 => fields.missing("stage"),
            1 if self.first.is_empty() => {}
            1 => fields.wrong("`first_event_id` is for stage 2 only"),
            2 => first = id("first_event_id", &self.first, &mut fields),
            _ => fields.wrong("`stage` is neither 1 nor 2"),
        }
        fields.finish()?;
        match (search, subject, self.verdict) {
            (Some(search), Some(subject), Some(verdict)) => Ok(Checked { search, subject, verdict, first }),
            _ => Err(Refusal::invalid("missing_field", "missing: `decision`")),
        }
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: &str,
    fields: &mut Fields,
) -> Option<T> {
    if text.is_empty() {
        fields.missing(name);
        return None;
    }
    text.parse().map_err(|error| fields.wrong(format!("`{name}` is {error}"))).ok()
}

impl Service {
    /// Records a decision about a candidate.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn record_decision<M>(
        &self,
        asked: Asked,
        request: &DecisionRequest,
        render: impl FnOnce(&DecisionMade) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::RecordDecision, asked);
        match self.decided(&mut case, token.as_deref(), request) {
            Ok((made, entry)) => {
                let rendered = render(&made);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn decided(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &DecisionRequest,
    ) -> Result<(DecisionMade, Entry), Refusal> {
        let (caller, actor, context) = case.introduce_person(token)?;
        let checked = request.check()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let reader = case.reader(&caller, &context, &pool, &permit)?;
        // Who may not see the person has no opinion of them to record.
        case.sighted(reader.subject(checked.subject)?, no_such_candidate())?;
        let searched = self.searched(checked.search, &request.pool)?.ok_or_else(no_such_candidate)?;
        let shown = searched.entry.candidates.iter().find(|shown| shown.subject_id == checked.subject);
        let shown = shown.ok_or_else(no_such_candidate)?;
        if let Some(first) = checked.first {
            self.check_first(first, &checked, &actor)?;
        }
        case.note(DECISION, checked.verdict.code());
        case.note(REASON, request.reason.clone());
        case.note(STAGE, request.stage.to_string());
        if let Some(first) = checked.first {
            case.note(FIRST, first.to_string());
        }
        case.in_time()?;
        let mut entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        let since = entry.occurred_at.duration_since(searched.entry.occurred_at).as_secs();
        let seconds_since_search = u64::try_from(since).unwrap_or_default();
        entry.related = Some(checked.search);
        entry.subjects.push(checked.subject);
        entry.images.push(shown.image_id);
        entry.counts.insert(SECONDS.to_owned(), seconds_since_search);
        let made = DecisionMade {
            event: None,
            search: checked.search,
            subject: checked.subject,
            stage: request.stage,
            opinion: Some((checked.verdict, request.reason.clone())),
            person: actor.subject,
            organisation: actor.organisation,
            decided_at: entry.occurred_at,
            seconds_since_search,
            first: checked.first,
        };
        Ok((made, entry))
    }

    /// The entry of a search that was answered from this pool.
    fn searched(&self, event: EventId, pool: &str) -> Result<Option<StoredEntry>, Refusal> {
        let found = self.audit.entry(event).map_err(|error| Refusal::fault("audit_unreadable", &error))?;
        Ok(found.filter(|stored| {
            let entry = &stored.entry;
            entry.rpc == SEARCH
                && entry.outcome == Some(Outcome::Answered)
                && entry.pool.as_ref().is_some_and(|touched| touched.name == pool)
        }))
    }

    /// A second decision is about a first one on the same candidate, by somebody else.
    fn check_first(&self, first: EventId, checked: &Checked, actor: &Actor) -> Result<(), Refusal> {
        let found = self.audit.entry(first).map_err(|error| Refusal::fault("audit_unreadable", &error))?;
        let made = found.and_then(|stored| read(&stored.entry));
        let made = made.filter(|made| {
            made.stage == 1 && made.search == checked.search && made.subject == checked.subject
        });
        let made = made.ok_or_else(|| {
            Refusal::new(
                RefusalKind::NotFound,
                "no_such_decision",
                "`first_event_id` is not the event of a first decision on this candidate of this search",
            )
        })?;
        if made.person == actor.subject && made.organisation == actor.organisation {
            return Err(Refusal::new(
                RefusalKind::Denied,
                "same_reviewer",
                "the first decision is yours; the second is another person's",
            ));
        }
        Ok(())
    }
}

/// The decision that an entry records.
fn read(entry: &Entry) -> Option<DecisionMade> {
    if entry.rpc != RECORD || entry.outcome != Some(Outcome::Answered) {
        return None;
    }
    let note = |name: &str| entry.notes.get(name).map(String::as_str);
    let actor = entry.actor.as_ref()?;
    let verdict = Verdict::ALL.into_iter().find(|verdict| note(DECISION) == Some(verdict.code()))?;
    Some(DecisionMade {
        event: Some(entry.event_id),
        search: entry.related?,
        subject: *entry.subjects.first()?,
        stage: note(STAGE)?.parse().ok()?,
        opinion: Some((verdict, note(REASON)?.to_owned())),
        person: actor.subject.clone(),
        organisation: actor.organisation.clone().unwrap_or_default(),
        decided_at: entry.occurred_at,
        seconds_since_search: entry.counts.get(SECONDS).copied().unwrap_or_default(),
        first: note(FIRST).and_then(|text| text.parse().ok()),
    })
}

/// The same for a search that is not there, one of another pool, and a candidate that was not in its list.
fn no_such_candidate() -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "no_such_candidate",
        "there is no such candidate in an answered search of this pool",
    )
}
