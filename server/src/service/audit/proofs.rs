//! Signed heads and proofs: hashes and signatures, nothing of what the entries say.
use super::{no_such_event, unreadable};
use crate::{
    audit::{AuditError, Checkpoint, Consistency, Head, Inclusion, Phase},
    authorise::Action,
    ids::EventId,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered},
};

/// Which entry is meant, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryChoice {
    /// By event id.
    Event(String),
    /// By position.
    Index(u64),
    /// The request left it out.
    Absent,
}

/// The newest head.
#[derive(Debug, Clone)]
pub struct HeadAnswer {
    /// The head.
    pub head: Head,
    /// The key that verifies it, as a verifier key of signed notes.
    pub public_key: String,
}

/// A proof and the signed heads it is about, the earlier first.
#[derive(Debug, Clone)]
pub struct ProofAnswer<P> {
    /// The proof.
    pub proof: P,
    /// One note for an inclusion, two for a consistency.
    pub checkpoints: Vec<String>,
}

impl Service {
    /// The newest signed head.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn audit_head<M>(
        &self,
        asked: Asked,
        render: impl FnOnce(&HeadAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (case, ..) = self.audit_case(Action::ReadProof, asked)?;
        match self.audit.head() {
            Ok(head) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("tree_size".to_owned(), head.size);
                let public_key = self.keys.audit_key().to_string();
                let rendered = render(&HeadAnswer { head, public_key });
                case.answer(entry, None, rendered)
            }
            Err(error) => Err(case.refuse(None, unreadable(error))),
        }
    }

    /// Proves that an entry is in the log.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn prove_inclusion<M>(
        &self,
        asked: Asked,
        choice: &EntryChoice,
        tree_size: u64,
        render: impl FnOnce(&ProofAnswer<Inclusion>) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (case, ..) = self.audit_case(Action::ReadProof, asked)?;
        let proof = self.position(choice).and_then(|index| {
            let (size, checkpoint) = self.signed(tree_size)?;
            let proof = self.audit.inclusion(index, size).map_err(unreadable)?;
            Ok(ProofAnswer { proof, checkpoints: vec![checkpoint] })
        });
        match proof {
            Ok(answer) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("entry_index".to_owned(), answer.proof.index);
                entry.counts.insert("tree_size".to_owned(), answer.proof.size);
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    /// Proves that a later head extends an earlier one.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn prove_consistency<M>(
        &self,
        asked: Asked,
        first: u64,
        second: u64,
        render: impl FnOnce(&ProofAnswer<Consistency>) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (case, ..) = self.audit_case(Action::ReadProof, asked)?;
        let proof = if first == 0 {
            Err(Refusal::invalid("missing_field", "missing: `first_size`; it is at least 1"))
        } else {
            self.signed(first).and_then(|(first, earlier)| {
                let (second, later) = self.signed(second)?;
                let proof = self.audit.consistency(first, second).map_err(unreadable)?;
                Ok(ProofAnswer { proof, checkpoints: vec![earlier, later] })
            })
        };
        match proof {
            Ok(answer) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("first_size".to_owned(), answer.proof.first);
                entry.counts.insert("second_size".to_owned(), answer.proof.second);
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn position(&self, choice: &EntryChoice) -> Result<u64, Refusal> {
        match choice {
            EntryChoice::Absent => {
                Err(Refusal::invalid("missing_field", "missing: `event_id` or `entry_index`"))
            }
            EntryChoice::Index(index) => Ok(*index),
            EntryChoice::Event(text) => {
                let event: EventId = text
                    .parse()
                    .map_err(|error| Refusal::invalid("invalid_field", format!("`event_id` is {error}")))?;
                // Forgotten or not: whoever kept a receipt can still have it proved.
                self.audit.position(event).map_err(unreadable)?.ok_or_else(no_such_event)
            }
        }
    }

    /// The signed head of a size; 0 means the newest.
    fn signed(&self, size: u64) -> Result<(u64, String), Refusal> {
        if size == 0 {
            let head = self.audit.head().map_err(unreadable)?;
            // Of an empty log nothing can be proved.
            return if head.size == 0 { Err(no_head(0)) } else { Ok((head.size, head.checkpoint)) };
        }
        let note = self.audit.checkpoint(size).map_err(unreadable)?.ok_or_else(|| no_head(size))?;
        let read = Checkpoint::open(&note, &self.keys.audit_key())
            .map_err(|error| unreadable(AuditError::Unsound(error.to_string())))?;
        Ok((read.size, note))
    }
}

fn no_head(size: u64) -> Refusal {
    Refusal::invalid(
        "no_such_checkpoint",
        format!(
            "the log has no signed head of size {size}; use the `tree_size` of a receipt, or 0 for the newest"
        ),
    )
}
