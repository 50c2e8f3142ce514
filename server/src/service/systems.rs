//! Who calls: a system that is registered, not revoked, and comes with its own certificate; and the person at it.
use std::sync::Arc;

use super::{Context, ContextFields, Peer, Refusal, RefusalKind, Service};
use crate::{
    audit::{Entry, Operation, Outcome, Phase, Submission},
    identity::{Actor, Registry, Revocations, System},
};

/// The name under which changes of the registries are recorded: no call, but the service's own observation.
const OBSERVED: &str = "likeness/registry";

impl Service {
    /// The systems that are registered at this moment. A change is recorded before anybody is let in by it.
    ///
    /// # Errors
    /// A [`Refusal`] of every call while the registry cannot be read, or its change not be recorded.
    pub fn systems(&self) -> Result<Arc<Registry>, Refusal> {
        let seen = self.systems.look().map_err(unknowable)?;
        if let Some(before) = seen.before {
            let changes = seen.now.changes_since(&before);
            if !changes.is_empty() {
                self.observed("systems", &changes.join(", "), seen.now.last_changed_by())?;
            }
        }
        Ok(seen.now)
    }

    /// The tokens that are revoked at this moment. A change is recorded before anybody is let in by it.
    ///
    /// # Errors
    /// As [`Service::systems`].
    pub(super) fn revocations(&self) -> Result<Arc<Revocations>, Refusal> {
        let seen = self.revocations.look().map_err(unknowable)?;
        if seen.before.is_some_and(|before| *before != *seen.now) {
            self.observed("revoked", &seen.now.summary(), "")?;
        }
        Ok(seen.now)
    }

    /// The person a token names.
    ///
    /// # Errors
    /// A [`Refusal`] for a token that is absent, not valid or revoked.
    pub(super) fn person(&self, token: Option<&str>) -> Result<Actor, Refusal> {
        Ok(self.verifier.verify(token, &*self.revocations()?)?)
    }

    /// The system that a certificate or, on this machine, a name stands for.
    ///
    /// # Errors
    /// A [`Refusal`] when it is not registered or was revoked.
    pub(super) fn system_of(&self, peer: &Peer, named: &str) -> Result<Arc<System>, Refusal> {
        let systems = self.systems()?;
        let (system, code) = match peer {
            Peer::Nobody => (None, "certificate_missing"),
            Peer::Certificate(fingerprint) => {
                (systems.by_certificate(fingerprint), "certificate_not_registered")
            }
            Peer::Local => (systems.get(named), "system_not_registered"),
        };
        match system {
            Some(system) if system.revoked_at.is_none() => Ok(Arc::clone(system)),
            Some(_) => Err(stranger("system_revoked")),
            None => Err(stranger(code)),
        }
    }

    /// Holds the request to what its system registered.
    ///
    /// # Errors
    /// A [`Refusal`] when it names another system, or its reference id does not look as it must.
    pub(super) fn check_system(
        &self,
        system: &System,
        context: &Context,
        fields: &ContextFields,
    ) -> Result<(), Refusal> {
        if system.name != context.system_name {
            return Err(stranger("system_name_differs"));
        }
        if !system.reference_format.fits(&fields.reference_id) {
            return Err(Refusal::invalid(
                "reference_format",
                format!(
                    "`context.reference_id` does not have the form that this system registered: {}",
                    system.reference_format
                ),
            ));
        }
        Ok(())
    }

    /// Records what was seen in a file that decides who may call.
    fn observed(&self, what: &str, found: &str, by: &str) -> Result<(), Refusal> {
        let mut entry = Entry::new(self.clock.now(), OBSERVED, Operation::Alteration, Phase::Single);
        entry.outcome = Some(Outcome::Answered);
        entry.notes.insert(what.to_owned(), crate::text::recordable(found, 4096).unwrap_or_default());
        if let Some(by) = crate::text::recordable(by, 128) {
            entry.notes.insert("by".to_owned(), by);
        }
        tracing::info!(what, found, "who may call has changed");
        self.record_one(Submission::from(entry)).map(drop).map_err(|_| {
            Refusal::new(
                RefusalKind::Unavailable,
                "audit_unavailable",
                "the audit log cannot record a change of who may call; try again later",
            )
        })
    }
}

/// What a caller is told whose system is not known. The log knows which it was.
fn stranger(code: &'static str) -> Refusal {
    let message = match code {
        "certificate_missing" => {
            "no client certificate: connect with the certificate and key of your system, as `likeness system register` made them"
        }
        "certificate_not_registered" => "this client certificate is not registered, or not any more",
        "system_revoked" => "this system may not call any more",
        "system_name_differs" => {
            "`context.system_name` is not the name that this client certificate is registered under"
        }
        _ => {
            "`context.system_name` is not the name of a system that may call; have it registered with `likeness system register`"
        }
    };
    Refusal::new(RefusalKind::Unauthenticated, code, message)
}

fn unknowable(error: String) -> Refusal {
    tracing::error!(error, "it cannot be told who may call");
    Refusal::new(
        RefusalKind::Unavailable,
        "callers_unknown",
        "it cannot be told who may call, so nobody may; the operator has to put a file right",
    )
}
