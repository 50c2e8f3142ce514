//! Handing the log to another body: one recorded disclosure, then every entry up to a signed head that covers it.
use super::unreadable;
use crate::{
    audit::{Head, Phase, Recipient, StoredEntry, Stub},
    authorise::Action,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered, fields::Fields},
};

/// Longest name of a recipient, in characters.
const LONGEST: usize = 128;
/// Entries and bytes in one part.
const PART: usize = 500;
const PART_BYTES: usize = 2 << 20;
/// Stubs in one part.
const STUBS: usize = 10_000;

/// Who receives the log; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportRequest {
    /// The system or person.
    pub recipient: String,
    /// Their organisation.
    pub organisation: String,
}

/// A disclosure that was recorded.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The key that verifies the head.
    pub public_key: String,
}

impl Service {
    /// Records that the log is disclosed. Nothing has left yet: the parts follow, up to [`Service::export_head`].
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn export_audit<M>(
        &self,
        asked: Asked,
        request: &ExportRequest,
        render: impl FnOnce(&Exported) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (case, ..) = self.audit_case(Action::ExportAudit, asked)?;
        let mut fields = Fields::default();
        fields.text("recipient", &request.recipient, 1, LONGEST);
        fields.text("recipient_organisation", &request.organisation, 1, LONGEST);
        match fields.finish().and_then(|()| self.audit.head().map_err(unreadable)) {
            Ok(head) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.recipient = Some(Recipient {
                    name: request.recipient.clone(),
                    organisation: request.organisation.clone(),
                });
                // At least so many: those made until the export ends, this one included, go with them.
                entry.counts.insert("entries_at_least".to_owned(), head.size);
                let rendered = render(&Exported { public_key: self.keys.audit_key().to_string() });
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    /// The head that an export goes up to. Taken after its disclosure was recorded, it covers that entry, too.
    ///
    /// # Errors
    /// [`Refusal`] when the log cannot be read.
    pub fn export_head(&self) -> Result<Head, Refusal> {
        self.audit.head().map_err(unreadable)
    }

    /// The next stubs of forgotten entries of an export, from position `from` on: all of them stand before every entry that is there.
    ///
    /// # Errors
    /// [`Refusal`] when the log cannot be read.
    pub fn export_stubs(&self, from: u64) -> Result<Vec<Stub>, Refusal> {
        self.audit.stubs(from, STUBS).map_err(unreadable)
    }

    /// The next entries of an export, from position `from` and before `size`; a few at least, never many bytes.
    ///
    /// # Errors
    /// [`Refusal`] when the log cannot be read.
    pub fn export_part(&self, from: u64, size: u64) -> Result<Vec<StoredEntry>, Refusal> {
        let count = usize::try_from(size.saturating_sub(from)).unwrap_or(usize::MAX).min(PART);
        let mut entries = self.audit.entries(from, count).map_err(unreadable)?;
        let mut bytes = 0;
        let keep = entries.iter().take_while(|stored| {
            let before = bytes;
            bytes += stored.body.len();
            before < PART_BYTES
        });
        let keep = keep.count();
        entries.truncate(keep);
        Ok(entries)
    }
}
