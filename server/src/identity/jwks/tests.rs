#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn key(id: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

#[test]
fn a_key_is_found_by_its_id_and_a_new_one_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.json");
    let mut keys = Keys::at("keys.json", folder.path()).unwrap();
    keys.again = Duration::ZERO;
    assert!(matches!(keys.find(Some("one")), Err(KeysError::Unreachable { .. })), "there is no file yet");
    fs::write(&path, json!({"keys": [key("one")]}).to_string()).unwrap();
    assert!(keys.find(Some("one")).unwrap().is_some());
    assert!(keys.find(None).unwrap().is_some(), "the only one needs no id");
    assert!(keys.find(Some("two")).unwrap().is_none());
    fs::write(&path, json!({"keys": [key("one"), key("two")]}).to_string()).unwrap();
    assert!(keys.find(Some("two")).unwrap().is_some());
    assert!(keys.find(None).unwrap().is_none(), "one of two is not guessed");
    // What is kept outlives a file that is gone for a while.
    fs::remove_file(&path).unwrap();
    assert!(keys.find(Some("two")).unwrap().is_some());
}

#[test]
fn a_shared_secret_among_the_keys_opens_nothing() {
    let folder = TempDir::new().unwrap();
    let secret = json!({"kty": "oct", "alg": "HS256", "kid": "s", "k": "c2VjcmV0"});
    let nameless = json!({"kty": "OKP", "crv": "Ed25519", "kid": "n", "x": key("n")["x"]});
    fs::write(folder.path().join("keys.json"), json!({"keys": [secret, nameless]}).to_string()).unwrap();
    let keys = Keys::at("keys.json", folder.path()).unwrap();
    assert!(keys.find(Some("s")).unwrap().is_none());
    assert!(keys.find(Some("n")).unwrap().is_none(), "a key that names no algorithm fits any");
}

#[test]
fn keys_at_an_address_are_fetched_once_and_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/jwks", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let body = json!({"keys": [key("one")]}).to_string();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
        }
    });
    let keys = Keys::at(&address, std::path::Path::new(".")).unwrap();
    for _ in 0..10 {
        assert!(keys.find(Some("one")).unwrap().is_some());
        assert!(keys.find(Some("forged")).unwrap().is_none(), "and asks again only after a while");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_address_that_anybody_on_the_way_could_answer_for_is_refused() {
    for source in [
        "http://id.example.org/jwks",
        "ftp://id.example.org/jwks",
        "file:///etc/keys",
        "http://localhost.example.org/",
    ] {
        assert!(matches!(Keys::at(source, std::path::Path::new(".")), Err(KeysError::Source(_))), "{source}");
    }
    for source in ["https://id.example.org/jwks", "http://localhost:8080/", "http://[::1]:8080/", "keys.json"]
    {
        assert!(Keys::at(source, std::path::Path::new(".")).is_ok(), "{source}");
    }
}
