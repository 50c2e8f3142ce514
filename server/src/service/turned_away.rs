//! Requests that never reach an operation: too much going on, a message that cannot be read, a call that does not exist.
//! They are recorded like any other, with the little that is known of them.
use super::{Asked, Peer, Refusal, Service, Unanswered, case::Case};
use crate::{
    audit::{self, Entry, Operation, Phase, Submission, operations},
    authorise::Action,
};

/// A request that was turned away at the door.
#[derive(Debug, Clone)]
pub struct TurnedAway {
    /// The call, as named in the request; at most 128 characters are kept.
    pub rpc: String,
    /// The bearer token, when one came.
    pub token: Option<String>,
    /// How it came in.
    pub peer: Peer,
    /// Requests turned away earlier that could not be recorded one by one.
    pub unrecorded_before: u64,
}

impl Service {
    /// Records a request whose message does not fit its operation, with the person and context it came with.
    pub fn refuse(&self, asked: Asked, action: Action, refusal: Refusal) -> Unanswered {
        let token = asked.token.clone();
        let mut case = Case::begin(self, action, asked);
        match case.introduce(token.as_deref()) {
            Ok(_) => case.refuse(None, refusal),
            Err(earlier) => case.refuse(None, earlier),
        }
    }

    /// Records a request that was turned away, and gives what to tell the caller.
    pub fn turn_away(&self, request: &TurnedAway, refusal: Refusal) -> Unanswered {
        let rpc = crate::text::recordable(&request.rpc, 128).unwrap_or_default();
        // A call that does not exist is at most an attempt to read.
        let operation = operations::of(&rpc).unwrap_or(Operation::Consultation);
        let mut entry = Entry::new(self.clock.now(), &rpc, operation, Phase::Single);
        entry.outcome = Some(refusal.kind.outcome());
        entry.refusal = Some(refusal.audit_code().to_owned());
        entry.actor = self.person(request.token.as_deref()).ok().map(|actor| audit::Actor {
            subject: actor.subject,
            organisation: Some(actor.organisation),
            roles: actor.roles.iter().map(ToString::to_string).collect(),
        });
        if let Peer::Certificate(fingerprint) = &request.peer {
            entry.notes.insert("certificate".to_owned(), fingerprint.clone());
            entry.system_name = self.system_of(&request.peer, "").ok().map(|system| system.name.clone());
        }
        if request.unrecorded_before > 0 {
            entry.counts.insert("turned_away_unrecorded_before".to_owned(), request.unrecorded_before);
        }
        self.refused(Submission::from(entry), refusal)
    }
}
