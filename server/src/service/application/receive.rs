//! An application comes in.
use jiff::civil::Date;

use super::{ApplicationAnswer, Taken, about};
use crate::{
    authorise::Action,
    ids::ApplicationId,
    pool::Applied,
    records::State,
    retention::application::DeletionApplication,
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, Service, SubjectChoice, Unanswered,
        case::named,
        retain::{Found, begin},
    },
};

/// Most applications about one record.
const MOST: usize = 64;
/// Longest code of a force.
const FORCE_CHARS: usize = 64;

/// An application as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveRequest {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: SubjectChoice,
    /// The force that decides.
    pub force: String,
    /// The day on which it came in, today where none is given; or what is wrong with it.
    pub received_on: Result<Option<Date>, String>,
    /// The person's grounds; may be empty.
    pub grounds: String,
}

impl Service {
    /// Takes an application for deletion in.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn receive_application<M>(
        &self,
        asked: Asked,
        request: &ReceiveRequest,
        render: impl FnOnce(&ApplicationAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::RecordOutcome, asked);
        let found = match self.find_kept(&mut case, token.as_deref(), &request.pool, &request.subject) {
            Ok(found) => found,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        // One alteration of a pool at a time: what is checked below still holds when it is kept.
        let _turn = self.altering.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let about = about(&found);
        match Self::still_there(found).and_then(|found| Ok((self.received(&found, request)?, found))) {
            Ok((taken, found)) => self.keep_step(case, found, taken, render),
            Err(refusal) => Err(self.refuse_about(case, about, refusal)),
        }
    }

    fn received(&self, found: &Found, request: &ReceiveRequest) -> Result<Taken, Refusal> {
        check_force(&request.force)?;
        let received_on =
            request.received_on.clone().map_err(|what| Refusal::invalid("invalid_field", what))?;
        if found.retained.kept.state != State::Active {
            return Err(Refusal::invalid(
                "beyond_use",
                "the record is out of use already and will be erased, so there is nothing to apply for; tell the person so",
            ));
        }
        let known = found.pool.applications_of(&found.permit, found.retained.kept.id)?;
        if let Some(same) = known.iter().find(|one| {
            let state = one.application.state();
            one.application.force == request.force && (state.is_open() || state.is_agreed())
        }) {
            let stands = if same.application.is_agreed() {
                "was agreed, and is carried out"
            } else {
                "is not decided yet"
            };
            return Err(Refusal::new(
                RefusalKind::AlreadyExists,
                "application_exists",
                format!(
                    "the application {} of this record to this force {stands}; it is the one to go on with",
                    same.id
                ),
            ));
        }
        if known.len() >= MOST {
            return Err(Refusal::invalid(
                "too_many_applications",
                format!("a record has at most {MOST} applications"),
            ));
        }
        let today = self.today();
        let id = ApplicationId::at(self.clock.now());
        let application = DeletionApplication::receive(
            id.to_string(),
            request.force.as_str(),
            request.grounds.as_str(),
            received_on.unwrap_or(today),
            &self.presumption(found),
            self.rules.now().set.application_limits(),
            today,
        )?;
        let applied = Applied { id, subject: found.retained.kept.id, application };
        Ok(Taken { applied, before: None, facts: None })
    }
}

/// The force stays in the statistics when the record is erased: a code, in which no person can be named by mistake.
fn check_force(force: &str) -> Result<(), Refusal> {
    let code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if force.is_empty() {
        return Err(Refusal::invalid("missing_field", "missing: `force`"));
    }
    if force.len() > FORCE_CHARS || !force.chars().all(code) {
        return Err(Refusal::invalid(
            "invalid_field",
            format!(
                "`force` is a code of at most {FORCE_CHARS} lower-case letters, digits and hyphens, such as `west-mercia`"
            ),
        ));
    }
    Ok(())
}
