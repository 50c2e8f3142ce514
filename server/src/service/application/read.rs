//! Every application about one record, and what a refusal would have to show today.
use jiff::civil::Date;

use super::Consequence;
use crate::{
    audit::Phase,
    authorise::Action,
    ids::SubjectId,
    pool::Applied,
    records::State,
    retention::Presumption,
    service::{
        Answer, Asked, Rendered, Service, SubjectChoice, Unanswered,
        case::named,
        retain::{begin, entry_about},
    },
};

/// The applications about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationsAnswer {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: SubjectId,
    /// In the order they were received; what is still to be decided is held to the presumption of today, where it is stronger.
    pub applications: Vec<Applied>,
    /// What an application that came in today would meet.
    pub presumption: Presumption,
    /// Where the record stands.
    pub state: State,
    /// What becomes of the record.
    pub consequence: Consequence,
    /// When the need to keep it is reviewed next.
    pub next_review_on: Date,
    /// The day of the answer.
    pub today: Date,
}

impl Service {
    /// Shows the applications about a record.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn read_applications<M>(
        &self,
        asked: Asked,
        pool: &str,
        choice: &SubjectChoice,
        render: impl FnOnce(&ApplicationsAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        let settled = self.find_kept(&mut case, token.as_deref(), pool, choice).and_then(|found| {
            let applications = found.pool.applications_of(&found.permit, found.retained.kept.id)?;
            Ok((found, applications))
        });
        match settled {
            Ok((found, mut applications)) => {
                let (assessment, marks) = self.assessed(&found.pool, &found.retained);
                let mut entry = entry_about(&case, Phase::Single, &found);
                entry.notes.insert("rules".to_owned(), marks.rules);
                entry.counts.insert("applications".to_owned(), applications.len() as u64);
                for applied in &mut applications {
                    applied.application.strengthen(&assessment.presumption);
                }
                let retained = &found.retained;
                let answer = ApplicationsAnswer {
                    pool: found.pool.definition().name.to_string(),
                    subject: retained.kept.id,
                    applications,
                    state: retained.kept.state,
                    consequence: self.consequence(retained, &retained.facts, &assessment),
                    next_review_on: assessment.next_review_on,
                    presumption: assessment.presumption,
                    today: self.today(),
                };
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }
}
