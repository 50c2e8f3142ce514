#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{clock::FixedClock, config::Config, identity::Issuer};

const OTHER: &str = "https://id.example.org/realm";

struct Place {
    _folder: TempDir,
    key: EncodingKey,
    verifier: Verifier,
    now: i64,
}

/// A service that accepts tokens of another issuer.
fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let data = DataDir::at(folder.path());
    Issuer::create(&data).unwrap();
    let key = SigningKey::from_bytes(&[7; 32]);
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let jwks = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k1", "x": x}]});
    durable::create_file(&folder.path().join("keys.json"), jwks.to_string().as_bytes()).unwrap();
    let issuers =
        format!("version = 1\n[[issuer]]\nissuer = {OTHER:?}\naudience = \"faces\"\nkeys = \"keys.json\"\n");
    durable::create_file(&data.issuers(), issuers.as_bytes()).unwrap();
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let clock = Arc::new(FixedClock::at(now));
    let verifier = Verifier::open(&data, &Config::parse("").unwrap().identity, clock).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    Place { _folder: folder, key: EncodingKey::from_ed_der(der.as_bytes()), verifier, now: now.as_second() }
}

impl Place {
    fn ask(&self, kid: Option<&str>, change: Value) -> Result<Actor, IdentityError> {
        let mut claims = json!({
            "iss": OTHER, "aud": ["faces", "others"], "sub": "p-9", "name": "A", "org": "force-2", "roles": ["searcher"],
            "iat": self.now, "exp": self.now + 60, "trained_until": self.now + 3600, "typ": "Bearer",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = kid.map(str::to_owned);
        let token = jsonwebtoken::encode(&header, &claims, &self.key).unwrap();
        self.verifier.verify(Some(&token), &Revocations::default())
    }
}

#[test]
fn a_token_of_another_issuer_names_its_person() {
    let place = place();
    let actor = place.ask(Some("k1"), json!({})).unwrap();
    assert_eq!((actor.subject.as_str(), actor.organisation.as_str()), ("p-9", "force-2"));
    assert_eq!(actor.trained_until.unwrap().as_second(), place.now + 3600);
    assert!(!actor.service_account);
    assert!(place.ask(Some("k1"), json!({"service_account": true})).unwrap().service_account);
}

#[test]
fn its_issuer_audience_key_times_and_roles_are_checked() {
    let place = place();
    for (kid, change) in [
        (Some("k1"), json!({"aud": "likeness"})),
        (Some("k1"), json!({"aud": null})),
        (Some("k1"), json!({"iss": "https://id.example.org/other"})),
        (Some("k1"), json!({"roles": ["king"]})),
        (Some("k2"), json!({})),
    ] {
        let refused = place.ask(kid, change.clone()).expect_err("must be refused");
        assert_eq!(refused.code(), "token_invalid", "{kid:?} {change}");
    }
    let late =
        place.ask(Some("k1"), json!({"iat": place.now - 600, "exp": place.now - 300})).expect_err("expired");
    assert_eq!(late.code(), "token_expired");
    // Signed by the other issuer's key, in the local issuer's name.
    let local = place.verifier.name.clone();
    let forged = place.ask(Some("k1"), json!({"iss": local, "aud": "likeness"})).expect_err("forged");
    assert_eq!(forged.code(), "token_invalid");
}

#[test]
fn revoked_tokens_and_persons_are_refused() {
    let place = place();
    let claims = json!({
        "iss": OTHER, "aud": "faces", "sub": "p-9", "name": "A", "org": "o", "roles": [], "jti": "t-1",
        "iat": place.now, "exp": place.now + 60,
    });
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("k1".to_owned());
    let token = jsonwebtoken::encode(&header, &claims, &place.key).unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    let code = |revocations: &Revocations| {
        place.verifier.verify(Some(&token), revocations).err().map(|error| error.code())
    };
    let mut none = Revocations::default();
    assert_eq!(code(&none), None);
    none.revoke_token("t-2", at(place.now));
    none.revoke_person("p-8", at(place.now));
    none.revoke_person("p-9", at(place.now - 1));
    assert_eq!(code(&none), None, "issued after the person's earlier tokens were revoked");
    let mut one = Revocations::default();
    one.revoke_token("t-1", at(place.now));
    assert_eq!(code(&one), Some("token_revoked"));
    let mut person = Revocations::default();
    person.revoke_person("p-9", at(place.now));
    assert_eq!(code(&person), Some("token_revoked"));
}
