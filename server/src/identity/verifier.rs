//! Checking the tokens of people: of the local issuer, and of others whose keys are known.
use std::sync::Arc;

use ed25519_dalek::{VerifyingKey, pkcs8::DecodePublicKey as _};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::{
    Actor, IdentityError, Revocations, issuers,
    token::{AUDIENCE, Claims, MAX_TOKEN_BYTES, SECONDS_PER_DAY, issuer_name, usable},
};
use crate::{clock::Clock, config, data::DataDir, durable};

#[cfg(test)]
mod tests;

/// Checks tokens.
pub struct Verifier {
    pub(super) key: DecodingKey,
    name: String,
    others: Vec<issuers::Issuer>,
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
        let others = issuers::read(&data.issuers()).map_err(IdentityError::Issuers)?;
        Ok(Verifier {
            key: DecodingKey::from_ed_der(key.as_bytes()),
            name: issuer_name(&key),
            others,
            max_days: limits.token_max_days,
            skew: SignedDuration::from_secs(i64::from(limits.clock_skew_s)),
            clock,
        })
    }

    /// The claims of a token whose signature, issuer and audience are right. Times are left to the caller.
    fn signed(&self, token: &str) -> Result<Claims, IdentityError> {
        // Unverified so far: it only says whose key is to be tried, and only keys of known issuers are.
        let claimed: Claimed =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| IdentityError::Invalid)?;
        let Some(other) = self.others.iter().find(|other| other.name == claimed.iss) else {
            return decode(token, &self.key, Algorithm::EdDSA, &self.name, AUDIENCE);
        };
        let header = jsonwebtoken::decode_header(token).map_err(|_| IdentityError::Invalid)?;
        let (key, algorithm) = other.keys.find(header.kid.as_deref())?.ok_or(IdentityError::Invalid)?;
        decode(token, &key, algorithm, &other.name, &other.audience)
    }

    /// The person a token names.
    ///
    /// # Errors
    /// [`IdentityError`] for an absent, foreign, changed, expired or unusable token.
    pub fn verify(&self, token: Option<&str>, revocations: &Revocations) -> Result<Actor, IdentityError> {
        let token = token.ok_or(IdentityError::Missing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IdentityError::Invalid);
        }
        let claims = self.signed(token)?;
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
        if revocations.void(&claims.sub, claims.jti.as_deref(), claims.iat) {
            return Err(IdentityError::Revoked);
        }
        let trained_until = claims
            .trained_until
            .map(Timestamp::from_second)
            .transpose()
            .map_err(|_| IdentityError::Claim { claim: "trained_until" })?;
        Ok(Actor {
            subject: claims.sub,
            name: claims.name,
            organisation: claims.org,
            roles: claims.roles.into_iter().collect(),
            service_account: claims.service_account,
            trained_until,
        })
    }
}

/// What a token says about where it is from.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

fn decode(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    issuer: &str,
    audience: &str,
) -> Result<Claims, IdentityError> {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Times are checked against the service's own clock, which tests can set.
    validation.validate_exp = false;
    Ok(jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|_| IdentityError::Invalid)?.claims)
}
