//! Which images of a force are to go: those of records that are due or beyond use, and that no legal hold keeps.
use jiff::civil::Date;

use super::{MOST_BYTES, unreadable};
use crate::{
    authorise::Permit,
    clock::Calendar,
    erasure::ErasureReason,
    ids::{ImageId, SubjectId},
    pool::{HeldImage, Pool, Retained},
    records::{Kept, State},
    retention::{Assessment, CustodyEvent, Disposition, assess, deletion_list::ListLine},
    service::{Refusal, Service, case::Case, retain::Why},
};

/// Records looked at in one piece.
const PIECE: usize = 1000;
/// The rule of what a person decided and no rule did.
const DECIDED: &str = "decision";

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) force: &'a str,
    /// Systems whose images are the force's where no custody event says whose they are.
    pub(super) systems: &'a [String],
    pub(super) due_from: Option<Date>,
    pub(super) due_until: Option<Date>,
    /// Also images that are on an earlier list and were not acknowledged as deleted.
    pub(super) again: bool,
    /// Most lines.
    pub(super) most: usize,
}

/// An image for the list.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) subject: SubjectId,
    pub(super) image: ImageId,
    pub(super) line: ListLine,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) candidates: Vec<Candidate>,
    /// Images that are to go, and of which nothing says whose they are.
    pub(super) unattributed: u64,
    /// Records that would be on a list but for a legal hold.
    pub(super) held: u64,
    /// There are more than one list takes.
    pub(super) more: bool,
}

/// Why an image is to go.
struct Cause {
    reason: &'static str,
    rule: String,
    due_on: Date,
}

impl Service {
    /// Goes through a pool, record by record; memory is bounded by one list.
    pub(super) fn gather(
        &self,
        case: &Case<'_>,
        pool: &Pool,
        permit: &Permit,
        wanted: &Wanted<'_>,
    ) -> Result<Gathered, Refusal> {
        let (rules, calendar, today) = (self.rules.now(), &self.config.retention.calendar, self.today());
        let (name, kind) = (pool.definition().name.as_str(), pool.definition().kind);
        let (mut found, mut bytes, mut after) = (Gathered::default(), 0, None);
        loop {
            case.in_time()?;
            let page = pool.kept_after(permit, after, PIECE)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.row);
            for kept in page {
                if kept.state == State::Erasing || is_kept(&kept, &rules.digest, today) {
                    continue;
                }
                let Some((retained, images)) = pool.with_images_unless_erased(kept)? else { continue };
                let assessment = assess(&rules.set, kind, &retained.facts, today);
                if let Disposition::Held { .. } = assessment.disposition {
                    found.held += u64::from(retained.kept.state == State::BeyondUse);
                    continue;
                }
                let Some(cause) = cause(&retained, &assessment, calendar, today) else { continue };
                if wanted.due_from.is_some_and(|from| cause.due_on < from)
                    || wanted.due_until.is_some_and(|until| cause.due_on > until)
                {
                    continue;
                }
                let ids: Vec<ImageId> = images.iter().map(|image| image.id).collect();
                let listed =
                    self.lists.listed(name, &ids, wanted.again).map_err(|error| unreadable(&error))?;
                for image in images.into_iter().filter(|image| !listed.contains(&image.id)) {
                    match force_of(&retained.facts.events, image.taken_on) {
                        Some(force) if force != wanted.force => continue,
                        None if !wanted.systems.contains(&image.source_system) => {
                            found.unattributed += 1;
                            continue;
                        }
                        Some(_) | None => {}
                    }
                    let candidate = candidate(retained.kept.id, image, &cause);
                    bytes += size(&candidate.line);
                    if found.candidates.len() == wanted.most || bytes > MOST_BYTES {
                        found.more = true;
                        return Ok(found);
                    }
                    found.candidates.push(candidate);
                }
            }
        }
    }
}

/// Whether the rules in force have said, and still say today, that the record stays: then nothing of it need be opened.
fn is_kept(kept: &Kept, rules: &str, today: Date) -> bool {
    kept.state == State::Active
        && kept.marks.as_ref().is_some_and(|marks| {
            marks.rules == rules && marks.due_on.is_none() && marks.look_on.is_none_or(|look| look > today)
        })
}

/// The force that an image was taken by: that of the last custody event up to the day on which it was taken, else of the first one.
/// None without an event.
pub(super) fn force_of(events: &[CustodyEvent], taken_on: Date) -> Option<&str> {
    let before = events.iter().filter(|event| event.occurred_on <= taken_on);
    before
        .max_by_key(|event| event.occurred_on)
        .or_else(|| events.iter().min_by_key(|event| event.occurred_on))
        .map(|event| event.force.as_str())
}

fn cause(retained: &Retained, assessment: &Assessment, calendar: &Calendar, today: Date) -> Option<Cause> {
    let kept = &retained.kept;
    match (kept.state, &assessment.disposition) {
        (State::BeyondUse, _) => {
            let why = kept.why.as_deref().and_then(|why| serde_json::from_str::<Why>(why).ok());
            let reason = why.as_ref().map_or(ErasureReason::RetentionEnded, |why| why.reason);
            let left_on = kept.state_at.map_or(today, |at| calendar.day(at));
            Some(Cause {
                reason: words(reason),
                rule: why.and_then(|why| why.rule).unwrap_or_else(|| DECIDED.to_owned()),
                due_on: match &assessment.disposition {
                    Disposition::Due { since } => (*since).min(left_on),
                    Disposition::Retain | Disposition::Held { .. } => left_on,
                },
            })
        }
        (State::Active, Disposition::Due { since }) => Some(Cause {
            reason: words(ErasureReason::RetentionEnded),
            rule: assessment.rule.clone(),
            due_on: *since,
        }),
        (State::Active | State::Erasing, _) => None,
    }
}

/// Why, for people. Names nobody, and tells nothing that the force did not send.
fn words(reason: ErasureReason) -> &'static str {
    match reason {
        ErasureReason::RetentionEnded => "no retention rule keeps the record any more",
        ErasureReason::ApplicationGranted => "an application for deletion was granted",
        ErasureReason::RightToErasure => "the person exercised the right to erasure",
        ErasureReason::ConsentWithdrawn => "consent was withdrawn",
        ErasureReason::CaseClosed => "the case is closed",
        ErasureReason::Order => "a court or the Commissioner ordered it",
        ErasureReason::RecordedInError => "it was recorded in error",
    }
}

fn candidate(subject: SubjectId, image: HeldImage, cause: &Cause) -> Candidate {
    let line = ListLine {
        source_system: image.source_system,
        source_reference: image.source_reference,
        image_id: image.id.to_string(),
        reason: cause.reason.to_owned(),
        rule: cause.rule.clone(),
        due_on: cause.due_on,
    };
    Candidate { subject, image: image.id, line }
}

/// About how much the line adds to each file.
fn size(line: &ListLine) -> usize {
    let texts = [&line.source_system, &line.source_reference, &line.image_id, &line.reason, &line.rule];
    texts.into_iter().map(String::len).sum::<usize>() + 160
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::retention::CustodyOutcome;

    fn event(force: &str, on: &str) -> CustodyEvent {
        CustodyEvent {
            reference: format!("{force} {on}"),
            force: force.to_owned(),
            occurred_on: on.parse().unwrap(),
            offences: Vec::new(),
            outcome: CustodyOutcome::Pending,
            outcome_on: None,
            serious: false,
            prison: false,
        }
    }

    #[test]
    fn an_image_belongs_to_the_force_that_took_it() {
        let events =
            [event("surrey", "2024-05-01"), event("kent", "2022-02-02"), event("essex", "2025-01-01")];
        let of = |on: &str| force_of(&events, on.parse().unwrap());
        assert_eq!(of("2022-02-02"), Some("kent"));
        assert_eq!(of("2024-04-30"), Some("kent"));
        assert_eq!(of("2024-05-01"), Some("surrey"));
        assert_eq!(of("2030-01-01"), Some("essex"));
        // Taken before any event that is known: by whoever held the person first.
        assert_eq!(of("2020-01-01"), Some("kent"));
        assert_eq!(force_of(&[], "2024-01-01".parse().unwrap()), None);
    }
}
