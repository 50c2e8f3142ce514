//! Who asks and why: the fields every request carries.
use std::time::Instant;

use super::{Refusal, RefusalKind, fields::Fields};
use crate::authorise::{Purpose, Purposes};

/// The context as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextFields {
    /// The registered name of the calling system, 1 to 64 characters.
    pub system_name: String,
    /// The caller's own id for the interaction, 1 to 128 characters.
    pub reference_id: String,
    /// A purpose code.
    pub purpose_code: String,
    /// Why, in the person's own words, 8 to 1,000 characters.
    pub justification: String,
}

/// How a request came in: what its system is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Peer {
    /// Over TLS without a client certificate: nobody.
    #[default]
    Nobody,
    /// Over TLS, with the client certificate of this SHA-256 (lower-case hex); the authority that signed it is checked.
    Certificate(String),
    /// From this machine, in plaintext on loopback or in the same process: the system is the one it names.
    Local,
}

/// A request as it arrived.
pub struct Asked {
    /// How it came in.
    pub peer: Peer,
    /// Full name of the call, for example `likeness.v1.SearchService/Search`.
    pub rpc: &'static str,
    /// The bearer token, when one came.
    pub token: Option<String>,
    /// Who asks and why.
    pub context: ContextFields,
    /// When the answer is no longer wanted.
    pub deadline: Instant,
    /// The encoded request without its images, kept as sealed content.
    pub request: Vec<u8>,
}

/// A context that is complete and well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The calling system.
    pub system_name: String,
    /// The purpose, from the controlled list.
    pub purpose: Purpose,
}

impl ContextFields {
    /// Longest `system_name`, `reference_id`, `purpose_code` and `justification`, in characters.
    pub(super) const MOST: [usize; 4] = [64, 128, 64, 1000];

    /// Checks the context.
    ///
    /// # Errors
    /// A [`Refusal`] that names every field that is missing or wrong, or the purposes there are.
    pub fn check(&self, purposes: &Purposes) -> Result<Context, Refusal> {
        let [system, reference, purpose, justification] = Self::MOST;
        let mut fields = Fields::default();
        fields.text("context.system_name", &self.system_name, 1, system);
        fields.text("context.reference_id", &self.reference_id, 1, reference);
        fields.text("context.purpose_code", &self.purpose_code, 1, purpose);
        fields.text("context.justification", &self.justification, 8, justification);
        fields.finish()?;
        let purpose = purposes.purpose(&self.purpose_code).ok_or_else(|| {
            let known: Vec<&str> = purposes.all().into_iter().map(Purpose::code).collect();
            Refusal::new(
                RefusalKind::Denied,
                "unknown_purpose",
                format!(
                    "`context.purpose_code` is not one of the purposes that anything is permitted for: {}",
                    known.join(", ")
                ),
            )
        })?;
        Ok(Context { system_name: self.system_name.clone(), purpose })
    }
}
