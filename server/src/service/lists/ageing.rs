//! The exceptions: lines that no force acknowledged in time, and images that leave without having been on a list.
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{begin, unreadable};
use crate::{
    audit::{Entry, Phase},
    authorise::{Action, Permit},
    ids::SubjectId,
    pool::Pool,
    records::State,
    retention::deletion_list::LateLine,
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Lists read in one piece.
const LISTS: usize = 100;
/// Records looked at in one piece.
const PIECE: usize = 1000;
/// Most late lines that are told one by one; all are counted.
const TOLD: usize = 1000;

/// An ageing report, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgeingRequest {
    /// The pool.
    pub pool: String,
    /// Only this force; empty for all.
    pub force: String,
}

/// How late one force is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForceAgeing {
    /// The force.
    pub force: String,
    /// Lists with late lines.
    pub lists: u64,
    /// Late lines.
    pub lines: u64,
    /// Days since the latest of them should have been acknowledged.
    pub most_days_late: i32,
}

/// A late line. What it says is in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateShown {
    /// Whose image it is.
    pub subject: SubjectId,
    /// The line.
    pub late: LateLine,
}

/// Images beyond use that are on no list: their force will not be told once they are erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// How many.
    pub images: u64,
    /// When the first of them is erased.
    pub first_erased_at: Option<Timestamp>,
}

/// The exceptions of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgeingAnswer {
    /// By force, in their order.
    pub forces: Vec<ForceAgeing>,
    /// The first thousand late lines, oldest list first.
    pub late: Vec<LateShown>,
    /// Of the whole pool: there when no force was named.
    pub unlisted: Option<Unlisted>,
}

impl Service {
    /// Reports the lines that were not acknowledged in time, by force.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, fails, or does not finish in time.
    pub fn deletion_list_ageing<M>(
        &self,
        asked: Asked,
        request: &AgeingRequest,
        render: impl FnOnce(&AgeingAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.aged(&mut case, token.as_deref(), request) {
            Ok((answer, mut entry)) => {
                let subjects: std::collections::BTreeSet<_> =
                    answer.late.iter().map(|late| late.subject).collect();
                entry.subjects.extend(subjects);
                entry.counts.insert("late".to_owned(), answer.forces.iter().map(|force| force.lines).sum());
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn aged(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &AgeingRequest,
    ) -> Result<(AgeingAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        fields.optional("force", &request.force, 64);
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let (name, today) = (pool.definition().name.as_str(), self.today());
        let mut forces: BTreeMap<String, ForceAgeing> = BTreeMap::new();
        let (mut answer, mut after) = (AgeingAnswer::default(), 0);
        loop {
            case.in_time()?;
            let page = self.lists.overdue(name, today, after, LISTS).map_err(|error| unreadable(&error))?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for kept in &page {
                let heading = &kept.heading;
                if !request.force.is_empty() && heading.force != request.force {
                    continue;
                }
                let lines = self.lines_of(kept)?;
                let subjects: BTreeMap<String, SubjectId> =
                    lines.iter().map(|line| (line.image.to_string(), line.subject)).collect();
                let progress = self.progress(&pool, &permit, heading, &lines, false)?;
                let late = progress.late(heading.acknowledge_by, today);
                let of = forces.entry(heading.force.clone()).or_default();
                of.force.clone_from(&heading.force);
                of.lists += 1;
                of.lines += late.len() as u64;
                let days = late.iter().map(|late| late.days_late).max().unwrap_or_default();
                of.most_days_late = of.most_days_late.max(days);
                let room = TOLD.saturating_sub(answer.late.len());
                for late in late.into_iter().take(room) {
                    if let Some(subject) = subjects.get(&late.image_id) {
                        answer.late.push(LateShown { subject: *subject, late });
                    }
                }
            }
        }
        answer.forces = forces.into_values().collect();
        if request.force.is_empty() {
            answer.unlisted = Some(self.unlisted(case, &pool, &permit)?);
        }
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((answer, entry))
    }

    fn unlisted(&self, case: &Case<'_>, pool: &Pool, permit: &Permit) -> Result<Unlisted, Refusal> {
        let (mut unlisted, mut after) = (Unlisted::default(), None);
        loop {
            case.in_time()?;
            let page = pool.kept_after(permit, after, PIECE)?;
            let Some(last) = page.last() else { return Ok(unlisted) };
            after = Some(last.row);
            for kept in page.into_iter().filter(|kept| kept.state == State::BeyondUse) {
                let Some(leaving) = pool.leaving(permit, kept.id)? else { continue };
                let name = pool.definition().name.as_str();
                let listed =
                    self.lists.listed(name, &leaving.images, false).map_err(|error| unreadable(&error))?;
                let missing = leaving.images.len() - listed.len();
                if missing > 0 {
                    unlisted.images += missing as u64;
                    let first = unlisted.first_erased_at;
                    unlisted.first_erased_at = first.into_iter().chain(kept.erase_at).min();
                }
            }
        }
    }
}
