//! Who asks: a registered system, and for what is a person's to do, the person at it.
//!
//! Systems are in the registry of the data directory, each with its contact, its data-sharing agreement and the format of
//! its reference ids. People bring a bearer token of an issuer that the service trusts.
use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

mod issuers;
mod jwks;
mod registry;
mod revocations;
mod role;
mod system;
mod token;
mod verifier;
mod watched;

pub use jwks::KeysError;
pub use registry::{Registry, RegistryError};
pub use revocations::Revocations;
pub use role::{Role, UnknownRole};
pub use system::{Agreement, ReferenceFormat, System, SystemError};
pub use token::{IdentityError, Issuer, Standing, TokenRequest};
pub use verifier::Verifier;
pub use watched::{Seen, Watched};

/// The acting person, as a valid token names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Stable id of the person.
    pub subject: String,
    /// Their name, for people to read.
    pub name: String,
    /// The organisation they act for.
    pub organisation: String,
    /// Their roles.
    pub roles: BTreeSet<Role>,
    /// A machine that was given a token: it may ask, and never records a decision.
    pub service_account: bool,
    /// Until when their training is current, as the issuer says.
    pub trained_until: Option<Timestamp>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The registered system that the call came from.
    pub system: Arc<System>,
    /// The person at it; none for a feed.
    pub person: Option<Actor>,
}
