//! What is known about how long one record is kept, and why.
use super::{Found, Service, begin, entry_about};
use crate::{
    audit::Phase,
    authorise::Action,
    ids::SubjectId,
    pool::Retained,
    records::State,
    retention::{Assessment, Facts, assess},
    service::{Answer, Asked, Refusal, RefusalKind, Rendered, SubjectChoice, Unanswered, case::named},
};

/// A record's retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionAnswer {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: SubjectId,
    /// Where it stands.
    pub state: State,
    /// Since when, unless it was always active.
    pub state_at: Option<jiff::Timestamp>,
    /// When it is erased, where it is beyond use.
    pub erase_at: Option<jiff::Timestamp>,
    /// The facts.
    pub facts: Facts,
    /// What follows from them.
    pub assessment: Assessment,
    /// Digest of the rules that say so.
    pub rules: String,
}

impl RetentionAnswer {
    pub(super) fn of(pool: &str, retained: Retained, assessment: Assessment, rules: String) -> Self {
        RetentionAnswer {
            pool: pool.to_owned(),
            subject: retained.kept.id,
            state: retained.kept.state,
            state_at: retained.kept.state_at,
            erase_at: retained.kept.erase_at,
            facts: retained.facts,
            assessment,
            rules,
        }
    }
}

impl Service {
    /// Shows why a record is kept and until when, under the rules in force or an earlier version of them.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn read_retention<M>(
        &self,
        asked: Asked,
        pool: &str,
        choice: &SubjectChoice,
        under: &str,
        render: impl FnOnce(&RetentionAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        let settled = self.find_kept(&mut case, token.as_deref(), pool, choice).and_then(|found| {
            let rules = self.rules.version(under).map_err(|error| Refusal::fault("rules", &error))?;
            let rules = rules.ok_or_else(|| {
                Refusal::new(
                    RefusalKind::NotFound,
                    "no_such_rules",
                    "no rules with this digest were ever in force here",
                )
            })?;
            Ok((found, rules))
        });
        match settled {
            Ok((found, rules)) => {
                let mut entry = entry_about(&case, Phase::Single, &found);
                entry.notes.insert("rules".to_owned(), rules.digest.clone());
                let Found { pool, retained, .. } = found;
                let definition = pool.definition();
                let assessment = assess(&rules.set, definition.kind, &retained.facts, self.today());
                let answer =
                    RetentionAnswer::of(definition.name.as_str(), retained, assessment, rules.digest.clone());
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }
}
