//! What other rules would change, record by record, before anybody puts them in force (R36).
use super::{Service, begin};
use crate::{
    audit::Phase,
    authorise::{Action, Permit},
    ids::SubjectId,
    pool::Pool,
    records::State,
    retention::{Change, simulate},
    service::{
        Answer, Asked, Refusal, Rendered, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

use super::rules::Rules;

/// Records looked at in one piece.
const PIECE: usize = 1000;
/// Most changes that are told one by one.
const TOLD: usize = 1000;

/// A simulation as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateRequest {
    /// The pool.
    pub pool: String,
    /// The other rules.
    pub rules: String,
}

/// A record for which something would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The subject.
    pub subject: SubjectId,
    /// What would change, and why.
    pub change: Change,
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateAnswer {
    /// Digest of the rules in force.
    pub now: String,
    /// Digest of the other ones.
    pub then: String,
    /// Records looked at: all that are in use.
    pub looked_at: u64,
    /// Records for which anything changes.
    pub changed: u64,
    /// Of these, records that would become due.
    pub become_due: u64,
    /// And those that would be retained and are due now.
    pub become_retained: u64,
    /// The first thousand of them.
    pub affected: Vec<Affected>,
}

impl Service {
    /// Says what other rules would change. Changes nothing.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, fails, or does not finish in time.
    pub fn simulate_rules<M>(
        &self,
        asked: Asked,
        request: &SimulateRequest,
        render: impl FnOnce(&SimulateAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        let settled = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut fields = Fields::default();
            fields.text("pool", &request.pool, 1, 64);
            fields.finish()?;
            let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
            let rules = self.proposed(&request.rules)?;
            let answer = self.simulated(&case, &pool, &permit, &rules)?;
            Ok((pool, answer))
        });
        match settled {
            Ok((pool, answer)) => {
                let mut entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
                entry.subjects.extend(answer.affected.iter().map(|affected| affected.subject));
                entry.notes.insert("rules".to_owned(), answer.then.clone());
                entry.counts.insert("looked_at".to_owned(), answer.looked_at);
                entry.counts.insert("changed".to_owned(), answer.changed);
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn simulated(
        &self,
        case: &Case<'_>,
        pool: &Pool,
        permit: &Permit,
        rules: &Rules,
    ) -> Result<SimulateAnswer, Refusal> {
        let (now, today) = (self.rules.now(), self.today());
        let kind = pool.definition().kind;
        let mut answer = SimulateAnswer {
            now: now.digest.clone(),
            then: rules.digest.clone(),
            looked_at: 0,
            changed: 0,
            become_due: 0,
            become_retained: 0,
            affected: Vec::new(),
        };
        let mut after = None;
        loop {
            case.in_time()?;
            let page = pool.kept_after(permit, after, PIECE)?;
            let Some(last) = page.last() else { return Ok(answer) };
            after = Some(last.row);
            for kept in page.into_iter().filter(|kept| kept.state == State::Active) {
                let retained = pool.with_facts(kept)?;
                answer.looked_at += 1;
                let Some(change) = simulate(&now.set, &rules.set, kind, &retained.facts, today) else {
                    continue;
                };
                answer.changed += 1;
                answer.become_due += u64::from(change.becomes_due());
                answer.become_retained += u64::from(change.becomes_retained());
                if answer.affected.len() < TOLD {
                    answer.affected.push(Affected { subject: retained.kept.id, change });
                }
            }
        }
    }
}
