//! Who acts: bearer tokens signed by the local issuer.
//!
//! A token is a JWT (EdDSA over Ed25519) that names a person, their organisation and roles. `init` makes the issuer's key
//! pair; only [`Issuer`] reads the private half, the server checks with the public half.
use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use ed25519_dalek::{
    SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
        spki::der::pem::LineEnding,
    },
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    config,
    data::DataDir,
    durable::{self, FileError},
};

#[cfg(test)]
mod tests;

/// Who a token is for.
const AUDIENCE: &str = "likeness";
/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8192;
/// Longest subject, name and organisation in a token, in characters.
const MAX_CLAIM_CHARS: usize = 128;
const SECONDS_PER_DAY: i64 = 86_400;

/// What a person may do, before purpose and pool are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Searches, compares and reads what a search returned.
    Searcher,
    /// Puts images in and takes them out of search.
    Enroller,
    /// Reviews candidates.
    Reviewer,
    /// Makes and lists pools.
    PoolAdmin,
    /// Reads what the audit log says about their own organisation.
    Auditor,
    /// Reads the whole audit log.
    NationalAuditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] = [
        Role::Searcher,
        Role::Enroller,
        Role::Reviewer,
        Role::PoolAdmin,
        Role::Auditor,
        Role::NationalAuditor,
    ];

    /// The name used in tokens and in the matrix.
    pub fn code(self) -> &'static str {
        match self {
            Role::Searcher => "searcher",
            Role::Enroller => "enroller",
            Role::Reviewer => "reviewer",
            Role::PoolAdmin => "pool_admin",
            Role::Auditor => "auditor",
            Role::NationalAuditor => "national_auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a role; the roles are searcher, enroller, reviewer, pool_admin, auditor and national_auditor"
)]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(code: &str) -> Result<Self, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.code() == code).ok_or_else(|| UnknownRole(code.to_owned()))
    }
}

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
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Stable id of the person, 1 to 128 characters.
    pub subject: String,
    /// Their name, 1 to 128 characters.
    pub name: String,
    /// The organisation they act for, 1 to 128 characters.
    pub organisation: String,
    /// At least one role.
    pub roles: Vec<Role>,
    /// Days the token is valid for, 1 to 366.
    pub days: u32,
}

/// Why a token cannot be made, or is not accepted.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The issuer's key file is missing or open to others.
    #[error(transparent)]
    File(#[from] FileError),
    /// The issuer's key file does not hold an Ed25519 key.
    #[error("`{file}` does not hold an Ed25519 key; restore it, or make a new data directory")]
    BadKey {
        /// Which file.
        file: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("cannot get random bytes for a key")]
    Random(#[from] getrandom::Error),
    /// The token cannot be signed.
    #[error("cannot sign the token")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// A request for a token that may not be made.
    #[error("a token's {field} must be {range}")]
    Request {
        /// What is wrong.
        field: &'static str,
        /// What is allowed.
        range: &'static str,
    },
    /// No token came with the request.
    #[error("no bearer token: send `authorization: Bearer <token>` with every request")]
    Missing,
    /// The token is not one of ours, or was changed.
    #[error(
        "the bearer token is not valid here: it is not a token, was changed, or comes from another issuer"
    )]
    Invalid,
    /// The token is no longer valid.
    #[error("the bearer token expired; ask for a new one")]
    Expired,
    /// The token says it was made in the future.
    #[error("the bearer token is not valid yet; check the clocks of the two machines")]
    NotYet,
    /// The token was made to live longer than this service accepts.
    #[error("the bearer token is valid for longer than the {days} days that this service accepts")]
    TooLong {
        /// The limit.
        days: u32,
    },
    /// A claim is empty, too long, or has control characters.
    #[error("the bearer token's `{claim}` is not usable")]
    Claim {
        /// Which claim.
        claim: &'static str,
    },
}

impl IdentityError {
    /// A stable code for the audit log and the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            IdentityError::Missing => "token_missing",
            IdentityError::Expired => "token_expired",
            IdentityError::NotYet => "token_not_yet_valid",
            IdentityError::TooLong { .. } => "token_too_long_lived",
            IdentityError::Claim { .. } => "token_claim_invalid",
            IdentityError::Invalid
            | IdentityError::File(_)
            | IdentityError::BadKey { .. }
            | IdentityError::Random(_)
            | IdentityError::Sign(_)
            | IdentityError::Request { .. } => "token_invalid",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    name: String,
    org: String,
    roles: Vec<Role>,
    iat: i64,
    exp: i64,
}

/// Makes tokens. Whoever can open it can act as anyone: the key file is private to the operator.
pub struct Issuer {
    key: EncodingKey,
    name: String,
}

impl Issuer {
    /// Makes the key pair of a new data directory.
    pub(crate) fn create(data: &DataDir) -> Result<Issuer, IdentityError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut())?;
        let key = SigningKey::from_bytes(&seed);
        let private =
            key.to_pkcs8_pem(LineEnding::LF).map_err(|_| IdentityError::BadKey { file: "issuer.key" })?;
        let public = key
            .verifying_key()
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| IdentityError::BadKey { file: "issuer.pub" })?;
        durable::create_dir(&data.issuer())?;
        durable::create_file(&data.issuer_key(), private.as_bytes())?;
        durable::create_file(&data.issuer_public(), public.as_bytes())?;
        Issuer::open(data)
    }

    /// Opens the issuer's private key in a data directory.
    ///
    /// # Errors
    /// [`IdentityError`] when the file is missing, open to other users, or not an Ed25519 key.
    pub fn open(data: &DataDir) -> Result<Issuer, IdentityError> {
        let bad = || IdentityError::BadKey { file: "issuer.key" };
        let pem = Zeroizing::new(durable::read_private(&data.issuer_key())?);
        let pem = std::str::from_utf8(&pem).map_err(|_| bad())?;
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| bad())?;
        let der = key.to_pkcs8_der().map_err(|_| bad())?;
        Ok(Issuer { key: EncodingKey::from_ed_der(der.as_bytes()), name: issuer_name(&key.verifying_key()) })
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`IdentityError::Request`] when a field is out of range.
    pub fn mint(&self, request: &TokenRequest, now: Timestamp) -> Result<String, IdentityError> {
        let text = "1 to 128 characters without control characters";
        for (field, value) in
            [("subject", &request.subject), ("name", &request.name), ("organisation", &request.organisation)]
        {
            if !usable(value) {
                return Err(IdentityError::Request { field, range: text });
            }
        }
        if request.roles.is_empty() {
            return Err(IdentityError::Request { field: "roles", range: "at least one" });
        }
        if !(1..=366).contains(&request.days) {
            return Err(IdentityError::Request { field: "life", range: "1 to 366 days" });
        }
        let roles: BTreeSet<Role> = request.roles.iter().copied().collect();
        let iat = now.as_second();
        let claims = Claims {
            iss: self.name.clone(),
            aud: AUDIENCE.to_owned(),
            sub: request.subject.clone(),
            name: request.name.clone(),
            org: request.organisation.clone(),
            roles: roles.into_iter().collect(),
            iat,
            exp: iat + i64::from(request.days) * SECONDS_PER_DAY,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key).map_err(IdentityError::Sign)
    }
}

/// Checks tokens.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
    max_days: u32,
    skew: SignedDuration,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// Opens the issuer's public key in a data directory.
    ///
    /// # Errors
    /// [`IdentityError`] when the file is missing or not an Ed25519 key.
    pub fn open(
        data: &DataDir,
        limits: &config::Identity,
        clock: Arc<dyn Clock>,
    ) -> Result<Verifier, IdentityError> {
        let bad = || IdentityError::BadKey { file: "issuer.pub" };
        let pem = durable::read_private(&data.issuer_public())?;
        let pem = std::str::from_utf8(&pem).map_err(|_| bad())?;
        let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| bad())?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer_name(&key)]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Times are checked below against the service's own clock, which tests can set.
        validation.validate_exp = false;
        Ok(Verifier {
            key: DecodingKey::from_ed_der(key.as_bytes()),
            validation,
            max_days: limits.token_max_days,
            skew: SignedDuration::from_secs(i64::from(limits.clock_skew_s)),
            clock,
        })
    }

    /// The person a token names.
    ///
    /// # Errors
    /// [`IdentityError`] for an absent, foreign, changed, expired or unusable token.
    pub fn verify(&self, token: Option<&str>) -> Result<Actor, IdentityError> {
        let token = token.ok_or(IdentityError::Missing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IdentityError::Invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| IdentityError::Invalid)?
            .claims;
        let now = self.clock.now().as_second();
        let skew = self.skew.as_secs();
        if claims.exp.saturating_add(skew) <= now {
            return Err(IdentityError::Expired);
        }
        if claims.iat.saturating_sub(skew) > now {
            return Err(IdentityError::NotYet);
        }
        if claims.exp.saturating_sub(claims.iat) > i64::from(self.max_days) * SECONDS_PER_DAY {
            return Err(IdentityError::TooLong { days: self.max_days });
        }
        for (claim, value) in [("sub", &claims.sub), ("name", &claims.name), ("org", &claims.org)] {
            if !usable(value) {
                return Err(IdentityError::Claim { claim });
            }
        }
        Ok(Actor {
            subject: claims.sub,
            name: claims.name,
            organisation: claims.org,
            roles: claims.roles.into_iter().collect(),
        })
    }
}

/// The issuer's name is a digest of its key, so a token of another installation never fits by accident.
fn issuer_name(key: &VerifyingKey) -> String {
    format!("likeness:{}", hex::encode(&Sha256::digest(key.as_bytes())[..16]))
}

fn usable(value: &str) -> bool {
    let length = value.chars().count();
    (1..=MAX_CLAIM_CHARS).contains(&length)
        && !value.trim().is_empty()
        && !value.chars().any(crate::text::is_hidden)
}
