//! The clock's own work: assess what must be assessed, put beyond use what nothing retains, erase what was beyond use long enough.
//!
//! In bounded pieces, each complete in itself, so that searches go on between them and a stop loses nothing. Never two runs at once.
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, PoisonError, TryLockError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Service, authority, begin, marks};
use crate::{
    audit::{Change, Content, Entry, Operation, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    erasure::ErasureReason,
    ids::SubjectId,
    pool::{Leaving, Pool},
    records::{Kept, OutOfUse, State, SubjectRow, Worklist},
    retention::{ClosureReason, Disposition, assess},
    service::{
        Answer, Asked, EraseError, Refusal, RefusalKind, Rendered, Unanswered,
        case::{named, touched},
        erasure::{Order, TOGETHER},
        fields::Fields,
    },
};

/// How the log names what the clock brings about.
const RPC: &str = "likeness/retention";
/// Who decides where nobody does.
const SCHEDULER: &str = "the retention scheduler";
/// Records assessed in one piece.
const ASSESSED: usize = 1000;

const WHY: &str = "the retention rules are applied; no person asks";

/// Why a record left use, as it is kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::service) struct Why {
    pub(in crate::service) reason: ErasureReason,
    pub(in crate::service) rule: Option<String>,
    pub(super) rules: Option<String>,
    pub(super) authority: String,
}

/// A run that a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// The pool.
    pub pool: String,
    /// Say what would be done, and do nothing.
    pub dry: bool,
}

/// What a run did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunAnswer {
    /// Records assessed.
    pub assessed: u64,
    /// Records put beyond use.
    pub beyond_use: u64,
    /// Records erased.
    pub erased: u64,
    /// Records beyond use whose erasure a hold put off.
    pub put_off: u64,
}

impl RunAnswer {
    fn add(&mut self, more: RunAnswer) {
        self.assessed += more.assessed;
        self.beyond_use += more.beyond_use;
        self.erased += more.erased;
        self.put_off += more.put_off;
    }

    fn is_idle(self) -> bool {
        self == RunAnswer::default()
    }
}

/// The change of state, as the log has it.
pub(super) fn becomes_beyond_use() -> Change {
    Change { before: Some(State::Active.code().to_owned()), after: Some(State::BeyondUse.code().to_owned()) }
}

/// A permit for what the clock brings about.
fn upkeep(pool: &Pool) -> Permit {
    Permit::for_upkeep(&pool.definition().name, Action::RunRetention, WHY)
}

impl Service {
    /// Applies the rules to a pool now, for as long as the call's time allows; the scheduler does the rest.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails; `already_running` while another run goes on.
    pub fn run_retention<M>(
        &self,
        asked: Asked,
        request: &RunRequest,
        render: impl FnOnce(&RunAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::RunRetention, asked);
        case.note("dry", request.dry.to_string());
        let decided = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut fields = Fields::default();
            fields.text("pool", &request.pool, 1, 64);
            fields.finish()?;
            let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
            Ok((pool, permit, authority(&caller)))
        });
        let (pool, permit, by) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        let about = || Some(touched(&pool, None));
        if request.dry {
            return match self.would_do(&pool, &permit) {
                Ok(answer) => {
                    let entry = counted(case.entry(Phase::Single, None, about()), answer);
                    case.answer(entry, None, render(&answer))
                }
                Err(refusal) => Err(case.refuse(about(), refusal)),
            };
        }
        let _running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let refusal = Refusal::new(
                    RefusalKind::Unavailable,
                    "already_running",
                    "the rules are being applied already; look again in a moment",
                );
                return Err(case.refuse(about(), refusal));
            }
        };
        let intent = case.entry(Phase::Intent, None, about());
        self.record_one(Submission::from(intent.clone()))?;
        let mut done = RunAnswer::default();
        while case.in_time().is_ok() {
            match self.retention_piece(&pool, &permit, &by) {
                Ok(piece) if piece.is_idle() => break,
                Ok(piece) => done.add(piece),
                Err(error) => return Err(case.fail(&intent, error.into())),
            }
        }
        let rendered = render(&done);
        let entry = counted(intent.to_outcome(self.clock.now(), Outcome::Answered), done);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// One turn of the scheduler: a piece of work in each pool. `true` when something was done, and more may be to do.
    ///
    /// # Errors
    /// [`EraseError`]; what was begun is carried on at the next turn.
    pub fn retention_turn(&self) -> Result<bool, EraseError> {
        let _running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(true),
        };
        {
            let _turn = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.ledger.unfinished()?.is_empty() {
                self.finish_erasures(&HashSet::new())?;
            }
        }
        let mut worked = false;
        for pool in self.pools().iter().filter(|pool| pool.is_ready()) {
            worked |= !self.retention_piece(pool, &upkeep(pool), SCHEDULER)?.is_idle();
        }
        Ok(worked)
    }

    /// Asks the scheduler to look now.
    pub(in crate::service) fn wake_retention(&self) {
        self.retention_wanted.notify_one();
    }

    /// Told when the scheduler should look.
    pub fn retention_wanted(&self) -> &tokio::sync::Notify {
        &self.retention_wanted
    }

    /// A bounded piece of the work on one pool.
    fn retention_piece(&self, pool: &Arc<Pool>, permit: &Permit, by: &str) -> Result<RunAnswer, EraseError> {
        let mut done = RunAnswer { assessed: self.assess_piece(pool, permit)?, ..RunAnswer::default() };
        done.beyond_use = self.withdraw_due(pool, permit, by)?;
        let (erased, put_off) = self.erase_dwelt(pool, permit)?;
        done.erased = erased;
        done.put_off = put_off;
        Ok(done)
    }

    fn assess_piece(&self, pool: &Pool, permit: &Permit) -> Result<u64, EraseError> {
        // Not while somebody alters facts: marks of older facts must not overwrite those of newer ones.
        let _turn = self.altering.lock().unwrap_or_else(PoisonError::into_inner);
        let (rules, today) = (self.rules.now(), self.today());
        let kind = pool.definition().kind;
        let retained = pool.to_assess(permit, &rules.digest, today, ASSESSED)?;
        let assessed: Vec<(SubjectRow, _)> = retained
            .iter()
            .map(|one| (one.kept.row, marks(&rules.digest, &assess(&rules.set, kind, &one.facts, today))))
            .collect();
        if !assessed.is_empty() {
            pool.mark(permit, &assessed)?;
        }
        Ok(assessed.len() as u64)
    }

    /// Puts due records beyond use.
    fn withdraw_due(&self, pool: &Pool, permit: &Permit, by: &str) -> Result<u64, EraseError> {
        let _turn = self.altering.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = self.rules.now();
        let due = pool.worklist(permit, Worklist::Due, self.today(), None, TOGETHER)?;
        // Assessed under the rules in force, or it waits until it is.
        let due: Vec<Kept> = due
            .into_iter()
            .filter(|kept| kept.marks.as_ref().is_some_and(|marks| marks.rules == rules.digest))
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let mut by_why: BTreeMap<String, (OutOfUse, Vec<SubjectId>)> = BTreeMap::new();
        let mut intents = Vec::with_capacity(due.len());
        for kept in due {
            let retained = pool.with_facts(kept)?;
            let assessment = assess(&rules.set, pool.definition().kind, &retained.facts, self.today());
            if !assessment.is_due() {
                continue;
            }
            let applied_for = pool.is_applied_for(permit, retained.kept.id)?;
            let reason = match retained.facts.closed.as_ref().map(|closed| closed.reason) {
                _ if applied_for => ErasureReason::ApplicationGranted,
                Some(ClosureReason::ConsentWithdrawn) => ErasureReason::ConsentWithdrawn,
                Some(ClosureReason::Found | ClosureReason::Identified) => ErasureReason::CaseClosed,
                Some(ClosureReason::DeathRegistered) | None => ErasureReason::RetentionEnded,
            };
            let out = self.out_of_use(reason, Some((&assessment.rule, &rules.digest)), by);
            let mut intent = Entry::new(self.clock.now(), RPC, Operation::Alteration, Phase::Intent);
            intent.pool = Some(touched(pool, None));
            intent.subjects.push(retained.kept.id);
            intent.changes.insert("state".to_owned(), becomes_beyond_use());
            intent.notes.insert("rule".to_owned(), assessment.rule.clone());
            intent.notes.insert("rules".to_owned(), rules.digest.clone());
            intent.notes.insert("reason".to_owned(), reason.code().to_owned());
            intents.push(intent);
            by_why.entry(out.why.clone()).or_insert_with(|| (out, Vec::new())).1.push(retained.kept.id);
        }
        if intents.is_empty() {
            return Ok(0);
        }
        self.record(intents.iter().cloned().map(Submission::from).collect())?;
        for (out, subjects) in by_why.values() {
            pool.withdraw(permit, subjects, State::BeyondUse, self.clock.now(), Some(out))?;
        }
        let outcomes = intents
            .iter()
            .map(|intent| Submission::from(intent.to_outcome(self.clock.now(), Outcome::Answered)))
            .collect();
        self.record(outcomes)?;
        Ok(intents.len() as u64)
    }

    /// Erases what was beyond use long enough; a hold that was placed meanwhile puts it off.
    fn erase_dwelt(&self, pool: &Arc<Pool>, permit: &Permit) -> Result<(u64, u64), EraseError> {
        let _turn = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = self.rules.now();
        let (mut orders, mut put_off) = (Vec::new(), 0);
        for kept in pool.dwelt_out(permit, self.clock.now(), TOGETHER)? {
            let why = kept.why.as_deref().and_then(|why| serde_json::from_str::<Why>(why).ok());
            let retained = pool.with_facts(kept)?;
            let subject = retained.kept.id;
            let assessment = assess(&rules.set, pool.definition().kind, &retained.facts, self.today());
            if let Disposition::Held { .. } = assessment.disposition {
                let ends = retained.facts.holds.iter().map(crate::retention::LegalHold::ends_on).max();
                let until = ends.map_or(Timestamp::MAX, |ends| self.config.retention.calendar.start_of(ends));
                pool.put_off(permit, subject, until)?;
                put_off += 1;
                continue;
            }
            orders.push(Order {
                subject,
                reason: why.as_ref().map_or(ErasureReason::RetentionEnded, |why| why.reason),
                rule: why.as_ref().and_then(|why| why.rule.clone()),
                rules: why.and_then(|why| why.rules),
            });
        }
        let announce = |_: &Leaving, _: &Order| {
            let mut entry = Entry::new(self.clock.now(), RPC, Operation::Erasure, Phase::Intent);
            entry.pool = Some(touched(pool, None));
            entry
        };
        let begun = self.begin_erasures(pool, permit, &orders, SCHEDULER, announce)?;
        let erasures: Vec<_> = begun.iter().map(|(erasure, _)| erasure.clone()).collect();
        if erasures.is_empty() {
            return Ok((0, put_off));
        }
        let erased = self.carry_out(pool, permit, &erasures)?;
        let outcomes = begun
            .iter()
            .zip(&erased)
            .map(|((_, intent), erased)| Submission::from(self.concluded(intent, erased)))
            .collect();
        self.record(outcomes)?;
        Ok((erased.len() as u64, put_off))
    }

    /// What is kept of a record that leaves use, for the time it is beyond use.
    pub(in crate::service) fn out_of_use(
        &self,
        reason: ErasureReason,
        rule: Option<(&String, &String)>,
        authority: &str,
    ) -> OutOfUse {
        let dwell = self.rules.now().set.beyond_use().after(self.today());
        let erase_at = self.config.retention.calendar.start_of(dwell);
        let why = Why {
            reason,
            rule: rule.map(|(rule, _)| rule.clone()),
            rules: rule.map(|(_, rules)| rules.clone()),
            authority: authority.to_owned(),
        };
        OutOfUse { erase_at, why: serde_json::to_string(&why).unwrap_or_default() }
    }

    /// What a run would do now.
    fn would_do(&self, pool: &Pool, permit: &Permit) -> Result<RunAnswer, Refusal> {
        let (rules, today) = (self.rules.now(), self.today());
        let kind = pool.definition().kind;
        let mut would = RunAnswer::default();
        let mut after = None;
        loop {
            let page = pool.kept_after(permit, after, ASSESSED)?;
            let Some(last) = page.last() else { return Ok(would) };
            after = Some(last.row);
            for kept in page {
                if kept.state == State::Erasing {
                    continue;
                }
                let fresh = kept.marks.as_ref().is_some_and(|marks| {
                    marks.rules == rules.digest && marks.look_on.is_none_or(|look| look > today)
                });
                let (state, erase_at) = (kept.state, kept.erase_at);
                let marked_due = kept.marks.as_ref().is_some_and(|marks| marks.due_on.is_some());
                let assessment = if fresh && state == State::Active && !marked_due {
                    None
                } else {
                    let retained = pool.with_facts(kept)?;
                    Some(assess(&rules.set, kind, &retained.facts, today))
                };
                would.assessed += u64::from(!fresh);
                match (state, assessment.map(|assessment| assessment.disposition)) {
                    (State::Active, Some(Disposition::Due { .. })) => would.beyond_use += 1,
                    (State::BeyondUse, Some(disposition))
                        if erase_at.is_some_and(|at| at <= self.clock.now()) =>
                    {
                        match disposition {
                            Disposition::Held { .. } => would.put_off += 1,
                            Disposition::Due { .. } | Disposition::Retain => would.erased += 1,
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn counted(mut entry: Entry, answer: RunAnswer) -> Entry {
    entry.counts.insert("assessed".to_owned(), answer.assessed);
    entry.counts.insert("beyond_use".to_owned(), answer.beyond_use);
    entry.counts.insert("erased".to_owned(), answer.erased);
    entry.counts.insert("put_off".to_owned(), answer.put_off);
    entry
}
