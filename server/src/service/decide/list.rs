//! The decisions on the candidates of a search, in the order in which they were made.
use std::collections::BTreeSet;

use super::{DecisionMade, no_such_candidate, read};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    ids::{EventId, SubjectId},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Entries fetched at a time.
const PIECE: usize = 500;

/// The decisions on a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionList {
    /// In the order in which they were made.
    pub decisions: Vec<DecisionMade>,
}

impl Service {
    /// Lists the decisions on a search of a pool.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn list_decisions<M>(
        &self,
        asked: Asked,
        pool: &str,
        search: &str,
        render: impl FnOnce(&DecisionList) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ReadDecisions, asked);
        match self.decisions(&mut case, token.as_deref(), pool, search) {
            Ok((list, mut entry)) => {
                entry.subjects = list
                    .decisions
                    .iter()
                    .map(|made| made.subject)
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect();
                entry.counts.insert("decisions".to_owned(), list.decisions.len() as u64);
                let rendered = render(&list);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn decisions(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        search: &str,
    ) -> Result<(DecisionList, Entry), Refusal> {
        let (caller, actor, context) = case.introduce_person(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        let search = super::id::<EventId>("search_event_id", search, &mut fields);
        fields.finish()?;
        let search = search.ok_or_else(no_such_candidate)?;
        let (held, permit) = case.admit(&caller, pool, &context)?;
        let reader = case.reader(&caller, &context, &held, &permit)?;
        let searched = self.searched(search, pool)?.ok_or_else(no_such_candidate)?;
        let mut decisions = Vec::new();
        let mut hidden: BTreeSet<SubjectId> = BTreeSet::new();
        // Whatever is about the search was recorded after it.
        let mut at = searched.index + 1;
        loop {
            case.in_time()?;
            let piece = self.audit.entries(at, PIECE);
            let piece = piece.map_err(|error| Refusal::fault("audit_unreadable", &error))?;
            let Some(last) = piece.last() else { break };
            at = last.index + 1;
            for made in piece.iter().filter_map(|stored| read(&stored.entry)) {
                if made.search != search || hidden.contains(&made.subject) {
                    continue;
                }
                if reader.subject(made.subject)?.seen().is_none() {
                    hidden.insert(made.subject);
                    continue;
                }
                decisions.push(made);
            }
        }
        blind(&mut decisions, &actor.subject, &actor.organisation);
        let mut entry = case.entry(Phase::Single, None, Some(touched(&held, None)));
        entry.related = Some(search);
        Ok((DecisionList { decisions }, entry))
    }
}

/// Takes the opinions out that a second reviewer must not know yet: those of others, on candidates without a second decision.
fn blind(decisions: &mut [DecisionMade], person: &str, organisation: &str) {
    let settled: BTreeSet<SubjectId> =
        decisions.iter().filter(|made| made.stage == 2).map(|made| made.subject).collect();
    for made in decisions {
        let own = made.person == person && made.organisation == organisation;
        if !own && !settled.contains(&made.subject) {
            made.opinion = None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::service::Verdict;

    #[test]
    fn the_first_opinion_is_its_authors_until_there_is_a_second() {
        let made = |subject: u8, stage, person: &str| DecisionMade {
            event: None,
            search: EventId::from_bytes([9; 16]),
            subject: SubjectId::from_bytes([subject; 16]),
            stage,
            opinion: Some((Verdict::PossibleMatch, "the same scar".to_owned())),
            person: person.to_owned(),
            organisation: "force-1".to_owned(),
            decided_at: jiff::Timestamp::UNIX_EPOCH,
            seconds_since_search: 60,
            first: None,
        };
        let list = [made(1, 1, "a"), made(2, 1, "a"), made(2, 2, "b")];
        let seen = |person: &str, organisation: &str| {
            let mut list = list.clone();
            blind(&mut list, person, organisation);
            list.map(|made| made.opinion.is_some())
        };
        assert_eq!(seen("a", "force-1"), [true, true, true]);
        assert_eq!(seen("b", "force-1"), [false, true, true]);
        // Another organisation may give the same id to somebody else.
        assert_eq!(seen("a", "force-2"), [false, true, true]);
    }
}
