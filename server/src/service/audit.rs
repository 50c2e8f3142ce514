//! The audit log as a service: proofs for whoever holds a receipt, entries for auditors. Reading it is recorded like anything else.
use super::{Asked, Context, Refusal, RefusalKind, Service, Unanswered, case::Case};
use crate::{
    audit::AuditError,
    authorise::{Action, Place},
};

mod collect;
mod export;
mod filter;
mod proofs;
mod query;
mod reconcile;
mod referral;
mod replay;
mod report;
mod scope;

pub use collect::CollectRequest;
pub use export::{ExportRequest, Exported};
pub use filter::FilterFields;
pub use proofs::{EntryChoice, HeadAnswer, ProofAnswer};
pub use query::{QueryAnswer, QueryRequest};
pub use reconcile::{LedgerLine, ReconcileRequest, Reconciliation};
pub use referral::{ReferralBody, ReferralRequest};
pub use replay::ReplayAnswer;
pub use report::{ReportKind, ReportRequest};

use scope::Scope;

impl Service {
    /// Who asks, for which audit purpose, and whether they may. The one place where requests about the log are admitted.
    fn admit_auditor(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        action: Action,
    ) -> Result<(Scope<'_>, Context), Refusal> {
        let (caller, actor, context) = case.introduce_person(token)?;
        // Proofs hold nothing of anybody. Entries are somebody's: whoever may not read their own organisation's reads none, and
        // `scope` puts the same question to the policies for the actor of each entry.
        let place = match action {
            Action::ReadProof => Place::Service,
            _ => Place::Trail { organisation: &actor.organisation, person: "" },
        };
        case.admit_elsewhere(&caller, place, &context)?;
        let scope = Scope::of(&self.authoriser, caller, context.purpose.clone(), self.clock.now());
        Ok((scope, context))
    }

    /// Begins a request about the log.
    fn audit_case<'s>(
        &'s self,
        action: Action,
        asked: Asked,
    ) -> Result<(Case<'s>, Scope<'s>, Context), Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, action, asked);
        match self.admit_auditor(&mut case, token.as_deref(), action) {
            Ok((scope, context)) => Ok((case, scope, context)),
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }
}

/// The log cannot be read, or the question makes no sense for it.
fn unreadable(error: AuditError) -> Refusal {
    match &error {
        AuditError::Invalid(why) => Refusal::invalid("invalid_field", (*why).to_owned()),
        _ => Refusal::fault("audit_unreadable", &error),
    }
}

fn no_such_event() -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "no_such_event",
        "there is no such event in what you may read of the log",
    )
}
