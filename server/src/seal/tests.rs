#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::seeded::runner;
use proptest::prelude::*;

fn key(byte: u8) -> SealKey {
    SealKey::from_bytes([byte; 32])
}

#[test]
fn opens_only_with_the_same_key_and_purpose() {
    let sealed = key(1).seal(b"image", b"bytes").unwrap();
    assert_eq!(sealed.len(), 5 + OVERHEAD);
    assert_eq!(key(1).open(b"image", &sealed).unwrap().as_slice(), b"bytes");
    assert!(matches!(key(2).open(b"image", &sealed), Err(SealError::Refused)));
    assert!(matches!(key(1).open(b"template", &sealed), Err(SealError::Refused)));
    assert!(matches!(key(1).open(b"image", &[]), Err(SealError::Refused)));
    assert_ne!(key(1).seal(b"image", b"bytes").unwrap(), sealed, "a nonce is never used twice");
}

#[test]
fn json_errors_do_not_repeat_the_content() {
    let sealed = key(1).seal_json(b"", &"Jane Doe").unwrap();
    assert_eq!(key(1).open_json::<String>(b"", &sealed).unwrap(), "Jane Doe");
    let error = key(1).open_json::<u32>(b"", &sealed).unwrap_err().to_string();
    assert!(!error.contains("Jane"), "{error}");
}

#[test]
fn keys_are_never_printed() {
    assert_eq!(format!("{:?}", key(7)), "SealKey(..)");
}

#[test]
fn digests_are_hmac_sha256_over_length_prefixed_parts() {
    // RFC 4231 test case 1: its 20-byte key padded with zeroes is the same HMAC key. The library is checked with it,
    // then our framing against the library.
    let mut block = [0; 64];
    block[..20].fill(0x0b);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&block).into());
    mac.update(b"Hi There");
    assert_eq!(
        hex::encode(mac.finalize().into_bytes()),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key(5).expose()).unwrap();
    mac.update(b"\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\0");
    assert_eq!(mac.finalize().into_bytes()[..], key(5).hmac(&[b"ab", b""]));
}

#[test]
fn opens_the_published_xchacha_vector() {
    // draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    let key: [u8; 32] = std::array::from_fn(|i| 0x80 + i as u8);
    let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + i as u8);
    let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
    let plain: &[u8] =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.";
    let tag = "c0875924c1c7987947deafd8780acf49";
    let cipher = XChaCha20Poly1305::new(&key.into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).unwrap();
    assert_eq!(hex::encode(&sealed[plain.len()..]), tag);
    let whole = [nonce.as_slice(), &sealed].concat();
    assert_eq!(SealKey::from_bytes(key).open(&aad, &whole).unwrap().as_slice(), plain);
}

#[test]
fn any_changed_byte_is_refused() {
    let cases = (any::<Vec<u8>>(), any::<prop::sample::Index>(), 1u8..);
    let checked = runner(256).run(&cases, |(plain, at, flip)| {
        let mut sealed = key(3).seal(b"x", &plain).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        prop_assert!(key(3).open(b"x", &sealed).is_err());
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn digests_and_associated_data_keep_parts_apart() {
    let parts = || prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4);
    let checked = runner(2000).run(&(parts(), parts()), |(a, b)| {
        let [left, right]: [Vec<&[u8]>; 2] = [&a, &b].map(|parts| parts.iter().map(Vec::as_slice).collect());
        prop_assert_eq!(associated(&left) == associated(&right), a == b);
        prop_assert_eq!(key(1).digest(&left) == key(1).digest(&right), a == b);
        prop_assert_ne!(key(1).digest(&left), key(2).digest(&left));
        Ok(())
    });
    checked.unwrap();
}
