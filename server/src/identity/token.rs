//! Bearer tokens of people: JWTs (EdDSA over Ed25519) that name a person, their organisation, roles and training.
use std::collections::BTreeSet;

use ed25519_dalek::{
    SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding},
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Role, jwks::KeysError};
use crate::{
    data::DataDir,
    durable::{self, FileError},
};

#[cfg(test)]
mod tests;

/// Who a token is for.
pub(super) const AUDIENCE: &str = "likeness";
/// Longest token that is looked at, in bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 8192;
/// Longest subject, name and organisation in a token, in characters.
const MAX_CLAIM_CHARS: usize = 128;
pub(super) const SECONDS_PER_DAY: i64 = 86_400;

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

/// What a token says beside who its holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// A machine and not a person: it may ask, and never records a decision.
    pub service_account: bool,
    /// Until when the person's training is current; none when no training is on record.
    pub trained_until: Option<Timestamp>,
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
    /// The token, or every token of its person so far, was revoked.
    #[error("the bearer token was revoked; ask for a new one")]
    Revoked,
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
    /// The keys of the token's issuer cannot be had.
    #[error("the keys of the token's issuer cannot be had at the moment; try again later")]
    Keys(#[from] KeysError),
    /// The list of other issuers is not valid.
    #[error("{0}")]
    Issuers(String),
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
            IdentityError::Keys(_) => "issuer_keys_unavailable",
            IdentityError::Revoked => "token_revoked",
            IdentityError::Expired => "token_expired",
            IdentityError::NotYet => "token_not_yet_valid",
            IdentityError::TooLong { .. } => "token_too_long_lived",
            IdentityError::Claim { .. } => "token_claim_invalid",
            IdentityError::Invalid
            | IdentityError::Issuers(_)
            | IdentityError::File(_)
            | IdentityError::BadKey { .. }
            | IdentityError::Random(_)
            | IdentityError::Sign(_)
            | IdentityError::Request { .. } => "token_invalid",
        }
    }
}

/// Who a token is for; other issuers may name several.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token says.
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: Audience,
    pub(super) sub: String,
    pub(super) name: String,
    pub(super) org: String,
    pub(super) roles: Vec<Role>,
    /// Id of the token, so that it can be revoked alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<String>,
    /// True for a machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) service_account: bool,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trained_until: Option<i64>,
    pub(super) iat: i64,
    pub(super) exp: i64,
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

    /// Makes a token of a person without recorded training.
    ///
    /// # Errors
    /// [`IdentityError::Request`] when a field is out of range.
    pub fn mint(&self, request: &TokenRequest, now: Timestamp) -> Result<String, IdentityError> {
        self.mint_with(request, Standing::default(), now)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`IdentityError::Request`] when a field is out of range.
    pub fn mint_with(
        &self,
        request: &TokenRequest,
        standing: Standing,
        now: Timestamp,
    ) -> Result<String, IdentityError> {
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
            aud: Audience::One(AUDIENCE.to_owned()),
            sub: request.subject.clone(),
            name: request.name.clone(),
            org: request.organisation.clone(),
            roles: roles.into_iter().collect(),
            jti: Some(uuid::Uuid::now_v7().to_string()),
            service_account: standing.service_account,
            trained_until: standing.trained_until.map(Timestamp::as_second),
            iat,
            exp: iat + i64::from(request.days) * SECONDS_PER_DAY,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key).map_err(IdentityError::Sign)
    }
}

/// The issuer's name is a digest of its key, so a token of another installation never fits by accident.
pub(super) fn issuer_name(key: &VerifyingKey) -> String {
    format!("likeness:{}", hex::encode(&Sha256::digest(key.as_bytes())[..16]))
}

pub(super) fn usable(value: &str) -> bool {
    let length = value.chars().count();
    (1..=MAX_CLAIM_CHARS).contains(&length)
        && !value.trim().is_empty()
        && !value.chars().any(crate::text::is_hidden)
}
