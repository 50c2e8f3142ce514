#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tempfile::TempDir;

use jiff::SignedDuration;
use std::sync::Arc;

use super::{
    super::{Revocations, Verifier},
    *,
};
use crate::{clock::FixedClock, config::Config};

struct Place {
    _folder: TempDir,
    issuer: Issuer,
    verifier: Verifier,
    clock: Arc<FixedClock>,
    now: Timestamp,
}

fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let data = DataDir::at(folder.path());
    let issuer = Issuer::create(&data).unwrap();
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let clock = Arc::new(FixedClock::at(now));
    let verifier = Verifier::open(&data, &Config::parse("").unwrap().identity, clock.clone()).unwrap();
    Place { _folder: folder, issuer, verifier, clock, now }
}

fn request() -> TokenRequest {
    TokenRequest {
        subject: "p-1".to_owned(),
        name: "A Person".to_owned(),
        organisation: "force-1".to_owned(),
        roles: vec![Role::Searcher, Role::Auditor],
        days: 10,
    }
}

/// A token of the issuer with claims of the test's choosing.
fn signed(place: &Place, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let now = place.now.as_second();
    let mut claims = json!({"iss": place.issuer.name, "aud": "likeness", "sub": "p-1", "name": "A", "org": "o", "roles": ["searcher"], "iat": now, "exp": now + 60});
    change(&mut claims);
    jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &place.issuer.key).unwrap()
}

fn code(place: &Place, token: &str) -> &'static str {
    place.verifier.verify(Some(token), &Revocations::default()).expect_err("must be refused").code()
}

#[test]
fn a_minted_token_names_the_person() {
    let place = place();
    let token = place.issuer.mint(&request(), place.now).unwrap();
    let actor = place.verifier.verify(Some(&token), &Revocations::default()).unwrap();
    assert_eq!((actor.subject.as_str(), actor.organisation.as_str()), ("p-1", "force-1"));
    assert_eq!(actor.roles, BTreeSet::from([Role::Searcher, Role::Auditor]));
}

#[test]
fn a_token_ends_when_it_says() {
    let place = place();
    let token = place.issuer.mint(&request(), place.now).unwrap();
    place.clock.advance(SignedDuration::from_hours(10 * 24));
    assert!(
        place.verifier.verify(Some(&token), &Revocations::default()).is_ok(),
        "the clock skew is granted"
    );
    place.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(code(&place, &token), "token_expired");
}

#[test]
fn absent_changed_and_foreign_tokens_are_refused() {
    let place = place();
    assert_eq!(
        place.verifier.verify(None, &Revocations::default()).expect_err("no token").code(),
        "token_missing"
    );
    for junk in ["", "x", "a.b.c", &"x".repeat(100_000)] {
        assert_eq!(code(&place, junk), "token_invalid");
    }
    let token = place.issuer.mint(&request(), place.now).unwrap();
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let raised =
        String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap().replace("searcher", "enroller");
    assert_eq!(
        code(&place, &format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(raised))),
        "token_invalid"
    );
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    assert_eq!(code(&place, &format!("{none}.{claims}.")), "token_invalid");
    let other = Issuer::create(&DataDir::at(TempDir::new().unwrap().path())).unwrap();
    assert_eq!(code(&place, &other.mint(&request(), place.now).unwrap()), "token_invalid");
}

#[test]
fn a_token_with_the_public_key_as_a_shared_secret_is_refused() {
    let place = place();
    let claims = json!({"iss": place.issuer.name, "aud": "likeness", "sub": "p", "name": "A", "org": "o", "roles": [], "iat": 0, "exp": i64::MAX});
    let secret = EncodingKey::from_secret(place.verifier.key.try_get_as_bytes().unwrap());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret).unwrap();
    assert_eq!(code(&place, &token), "token_invalid");
}

#[test]
fn audience_issuer_times_and_claims_are_checked() {
    let place = place();
    let now = place.now.as_second();
    assert!(place.verifier.verify(Some(&signed(&place, |_| {})), &Revocations::default()).is_ok());
    for (change, expected) in [
        (json!({"aud": "other"}), "token_invalid"),
        (json!({"iss": "other"}), "token_invalid"),
        (json!({"roles": ["king"]}), "token_invalid"),
        (json!({"sub": null}), "token_invalid"),
        (json!({"exp": null}), "token_invalid"),
        (json!({"iat": now + 60, "exp": now + 120}), "token_not_yet_valid"),
        (json!({"exp": now + 400 * 86_400}), "token_too_long_lived"),
        (json!({"exp": i64::MAX}), "token_too_long_lived"),
        (json!({"exp": now - 600, "iat": now - 1200}), "token_expired"),
        (json!({"exp": i64::MIN}), "token_invalid"),
        (json!({"sub": ""}), "token_claim_invalid"),
        (json!({"name": "a\u{202E}b"}), "token_claim_invalid"),
        (json!({"org": "x".repeat(129)}), "token_claim_invalid"),
    ] {
        let token = signed(&place, |claims| {
            for (key, value) in change.as_object().unwrap() {
                claims[key] = value.clone();
            }
        });
        assert_eq!(code(&place, &token), expected, "{change}");
    }
}

#[test]
fn a_token_that_may_not_be_made_is_refused() {
    let place = place();
    let bad = [
        TokenRequest { subject: String::new(), ..request() },
        TokenRequest { name: "x".repeat(129), ..request() },
        TokenRequest { organisation: "a\nb".to_owned(), ..request() },
        TokenRequest { roles: vec![], ..request() },
        TokenRequest { days: 0, ..request() },
        TokenRequest { days: 367, ..request() },
    ];
    for request in bad {
        assert!(
            matches!(place.issuer.mint(&request, place.now), Err(IdentityError::Request { .. })),
            "{request:?}"
        );
    }
}
