//! What a force says about the lines of its list.
use std::{collections::BTreeMap, sync::PoisonError};

use jiff::civil::Date;

use super::{DeletionListSummary, FoundList, answer_of, authority, begin, entry_about, unreadable};
use crate::{
    audit::{Content, Outcome, Phase, Submission},
    authorise::Action,
    ids::{ImageId, SubjectId},
    lists::{KeptLine, Said},
    retention::deletion_list::{Acknowledgement, Answered},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named},
    },
};

/// Most acknowledgements of one request.
pub const MOST_ANSWERS: usize = 10_000;
/// Most faults that are told.
const TOLD: usize = 20;

/// One line of an acknowledgement, as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineAnswer {
    /// The image, as the list names it.
    pub image_id: String,
    /// `deleted`, `retained` or `not_found`.
    pub answered: String,
    /// Why it is retained, 8 to 1,000 characters; empty otherwise.
    pub reason: String,
    /// The day, YYYY-MM-DD; empty for today.
    pub on: String,
}

/// Acknowledgements as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcknowledgeRequest {
    /// The pool.
    pub pool: String,
    /// The list.
    pub id: String,
    /// The lines.
    pub lines: Vec<LineAnswer>,
}

/// What is to be kept, and about whom.
struct Taken {
    said: Vec<(ImageId, Said)>,
    subjects: Vec<SubjectId>,
    counts: BTreeMap<&'static str, u64>,
    /// Some of it is about people who are erased: the request is not kept then.
    about_erased: bool,
}

impl Service {
    /// Takes what a force says about lines: all of it, or nothing.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn acknowledge_deletion_list<M>(
        &self,
        asked: Asked,
        request: &AcknowledgeRequest,
        render: impl FnOnce(&DeletionListSummary) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::RecordOutcome, asked);
        let found = match self.find_list(&mut case, token.as_deref(), &request.pool, &request.id) {
            Ok(found) => found,
            Err(refusal) => return Err(refused(case, &request.pool, refusal)),
        };
        // One at a time, and not while somebody is erased: a reason that is sealed now must not outlive them.
        let _turn = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let _erasing = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = match self.answered(&case, &found, request) {
            Ok(taken) => taken,
            Err(refusal) => return Err(refused(case, &request.pool, refusal)),
        };
        let mut intent = entry_about(&case, Phase::Intent, &found, taken.subjects.iter().copied());
        intent.images.extend(taken.said.iter().map(|(image, _)| *image));
        for (name, count) in &taken.counts {
            intent.counts.insert((*name).to_owned(), *count);
        }
        self.record_one(Submission::from(intent.clone()))?;
        let kept = self
            .lists
            .answer(found.kept.number, &taken.said)
            .map_err(|error| unreadable(&error))
            .and_then(|()| self.summary(&found.kept));
        let summary = match kept {
            Ok(summary) => summary,
            Err(refusal) => {
                drop(case.take_request());
                return Err(case.fail(&intent, refusal));
            }
        };
        let rendered = render(&summary);
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        // A reason is free text. About somebody who is erased already nothing would reach it any more.
        let request = case.take_request().filter(|_| !taken.about_erased);
        let content = Content { probe: None, request, response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn answered(
        &self,
        case: &Case<'_>,
        found: &FoundList,
        request: &AcknowledgeRequest,
    ) -> Result<Taken, Refusal> {
        if request.lines.is_empty() {
            return Err(Refusal::invalid("missing_field", "missing: `lines`: what is acknowledged"));
        }
        if request.lines.len() > MOST_ANSWERS {
            return Err(Refusal::invalid(
                "invalid_field",
                format!(
                    "`lines` has more than {MOST_ANSWERS} acknowledgements; send them in several requests"
                ),
            ));
        }
        case.in_time()?;
        let FoundList { caller, pool, permit, kept } = found;
        let (today, by) = (self.today(), authority(caller));
        let lines = self.lines_of(kept)?;
        let by_image: BTreeMap<String, &KeptLine> =
            lines.iter().map(|line| (line.image.to_string(), line)).collect();
        let mut progress = self.progress(pool, permit, &kept.heading, &lines, false)?;
        let mut taken =
            Taken { said: Vec::new(), subjects: Vec::new(), counts: BTreeMap::new(), about_erased: false };
        let (mut faults, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
        for (number, line) in (1..).zip(&request.lines) {
            let checked = read(line, today, &by).and_then(|said| {
                // Once per request: which of two would count?
                if !seen.insert(line.image_id.as_str()) {
                    return Err("the image is acknowledged twice in this request".to_owned());
                }
                progress
                    .acknowledge(&line.image_id, said.clone(), today)
                    .map_err(|error| error.to_string())?;
                Ok(said)
            });
            let (said, about) = match (checked, by_image.get(&line.image_id)) {
                (Ok(said), Some(about)) => (said, *about),
                (Ok(_), None) => continue,
                (Err(why), _) => {
                    faults.push(format!("line {number}: {why}"));
                    continue;
                }
            };
            let answered = said.answered.code();
            *taken.counts.entry(answered).or_default() += 1;
            taken.subjects.push(about.subject);
            let mut sealed_reason = None;
            if let Answered::Retained { reason } = &said.answered {
                let whose = (about.subject, about.image);
                sealed_reason = pool.seal_listed(permit, &answer_of(&kept.heading.id), whose, reason)?;
                taken.about_erased |= sealed_reason.is_none();
            }
            taken.about_erased |= about.sealed.is_none();
            let kept = Said { answered: answered.to_owned(), on: said.on, by: said.by, sealed_reason };
            taken.said.push((about.image, kept));
        }
        if faults.is_empty() {
            return Ok(taken);
        }
        let told = faults.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("; ");
        let more = faults.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Err(Refusal::invalid("invalid_acknowledgement", format!("nothing was taken. {told}{more}")))
    }
}

/// What was refused may be about people who are erased: it is recorded without the request.
fn refused(mut case: Case<'_>, pool: &str, refusal: Refusal) -> Unanswered {
    drop(case.take_request());
    case.refuse(named(pool), refusal)
}

fn read(line: &LineAnswer, today: Date, by: &str) -> Result<Acknowledgement, String> {
    let on = match line.on.as_str() {
        "" => today,
        text => text
            .parse::<Date>()
            .ok()
            .filter(|date| date.to_string() == text)
            .ok_or("`on` is not a date; write YYYY-MM-DD")?,
    };
    let reason = line.reason.as_str();
    let answered = match line.answered.as_str() {
        "deleted" => Answered::Deleted,
        "not_found" => Answered::NotFound,
        "retained" => Answered::Retained { reason: reason.to_owned() },
        _ => return Err("`answered` is one of deleted, retained and not_found".to_owned()),
    };
    if !reason.is_empty() && !matches!(answered, Answered::Retained { .. }) {
        return Err("`reason` belongs to what is retained; leave it out otherwise".to_owned());
    }
    Ok(Acknowledgement { on, by: by.to_owned(), answered })
}
