#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
use super::*;
use crate::audit::{
    AuditOptions, AuditRead as _, Candidate, Content, Entry, FileAudit, Operation, Outcome, Phase, Probe,
    Recipient, Submission,
};
use crate::clock::FixedClock;
use crate::ids::{ImageId, SubjectId};
use crate::keys::FileKeyStore;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Instant;
use tempfile::TempDir;

struct Place {
    _folder: TempDir,
    data: DataDir,
    log: Arc<FileAudit>,
    clock: Arc<FixedClock>,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::at(folder.path());
    let keys = Arc::new(FileKeyStore::create(&data.keys()).unwrap());
    FileAudit::create(&data.audit(), &*keys).unwrap();
    // A Wednesday, in office hours.
    let clock = Arc::new(FixedClock::at("2026-06-10T09:00:00Z".parse().unwrap()));
    let (log, _) = FileAudit::open(&data.audit(), keys, clock.clone(), AuditOptions::default()).unwrap();
    Place { _folder: folder, data, log: Arc::new(log), clock }
}

impl Place {
    fn record(&self, count: u64) {
        for n in 0..count {
            let mut entry = Entry::new(
                self.clock.now(),
                "likeness.v1.SearchService/Search",
                Operation::Consultation,
                Phase::Single,
            );
            entry.outcome = Some(Outcome::Answered);
            entry.actor = Some(crate::audit::Actor {
                subject: format!("p-{n}"),
                organisation: Some("force-1".into()),
                roles: vec!["searcher".into()],
            });
            entry.justification = Some("Jane Roe was seen near the scene".into());
            entry.probe = Some(Probe { source_type: Some("cctv".into()), ..Probe::default() });
            let (image, subject) = (ImageId::at(self.clock.now()), SubjectId::at(self.clock.now()));
            entry.candidates.push(Candidate::new(1, image, subject, 0.987_654).unwrap());
            let content = Content { probe: Some(b"pixels".to_vec()), ..Content::default() };
            self.log.append(vec![Submission { entry, content }]).unwrap();
        }
    }

    fn feed(&self, config: &Siem) -> Feed {
        let rules = AnomalyRules::find(self.data.path()).unwrap();
        Feed::start(self.log.clone(), &rules, config, &self.data, &*self.clock).unwrap().expect("configured")
    }

    fn position(&self) -> u64 {
        std::fs::read_to_string(self.data.path().join("siem-position")).unwrap().trim().parse().unwrap()
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn indexes(lines: &[Value]) -> BTreeSet<u64> {
    lines
        .iter()
        .filter(|line| line["event"] == "audit")
        .map(|line| line["entry_index"].as_u64().unwrap())
        .collect()
}

fn json_lines(path: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_file_gets_every_event_once_and_again_after_a_restart_only_what_is_new() {
    let place = place();
    let config = Siem::File("events.jsonl".into());
    let path = place.data.path().join("events.jsonl");
    place.record(250);
    let feed = place.feed(&config);
    until("250 events", || json_lines(&path).len() >= 250);
    place.record(10);
    until("260 events", || json_lines(&path).len() >= 260);
    drop(feed);
    place.record(5);
    let feed = place.feed(&config);
    until("265 events", || json_lines(&path).len() >= 265);
    drop(feed);
    let lines = json_lines(&path);
    assert_eq!(lines.len(), 265);
    assert_eq!(indexes(&lines), (0..265).collect());
    assert_eq!(place.position(), 265);
}

#[test]
fn an_event_says_who_did_what_and_nothing_of_a_face_or_a_person_searched_for() {
    let place = place();
    place.record(1);
    let stored = place.log.entries(0, 1).unwrap().remove(0);
    let mut full = stored.clone();
    full.entry.refusal = Some("r".into());
    full.entry.reference_id = Some("r".into());
    full.entry.system_name = Some("s".into());
    full.entry.purpose_code = Some("p".into());
    full.entry.pool = Some(crate::audit::PoolTouched { name: "cells".into(), ..Default::default() });
    full.entry.recipient = Some(Recipient { name: "n".into(), organisation: "o".into() });
    let flag = crate::audit::anomaly::Flag {
        rule: "burst".into(),
        event: full.entry.event_id,
        occurred_at: full.entry.occurred_at,
        person: None,
        organisation: None,
        count: 60,
        owners: vec!["unit-7".into()],
    };
    let events = event::of(&full, &[flag]);
    assert_eq!(events.len(), 2);
    let mut fields = BTreeSet::new();
    for event in &events {
        let secret = full.entry.candidates[0].subject_id.to_string();
        for hidden in ["Jane", "0.987", secret.as_str(), "similarity", "justification", "digest"] {
            assert!(!event.line.contains(hidden), "{hidden}: {}", event.line);
        }
        let object: BTreeMap<String, Value> = serde_json::from_str(&event.line).unwrap();
        fields.extend(object.into_keys());
    }
    assert_eq!(fields, FIELDS.iter().map(|field| (*field).to_owned()).collect(), "FIELDS is what is sent");
    // What is sent is documented, and extracted by the sample for Splunk.
    let guide = include_str!("../../../docs/siem.md");
    for field in FIELDS {
        assert!(guide.contains(&format!("| `{field}` |")), "docs/siem.md lacks `{field}`");
    }
}

#[test]
fn anomalies_are_raised_once_also_across_a_restart() {
    let place = place();
    let config = Siem::File("events.jsonl".into());
    let path = place.data.path().join("events.jsonl");
    let same_person = |count: usize| {
        for _ in 0..count {
            let mut entry =
                Entry::new(place.clock.now(), "likeness.v1.Test/Test", Operation::Collection, Phase::Single);
            entry.outcome = Some(Outcome::Answered);
            entry.actor = Some(crate::audit::Actor { subject: "p".into(), ..Default::default() });
            place.log.append(vec![entry.into()]).unwrap();
        }
    };
    let anomalies = || json_lines(&path).iter().filter(|line| line["event"] == "anomaly").count();
    same_person(40);
    let feed = place.feed(&config);
    until("40 events", || json_lines(&path).len() >= 40);
    drop(feed);
    assert_eq!(anomalies(), 0);
    same_person(19);
    let feed = place.feed(&config);
    until("59 events", || json_lines(&path).len() >= 59);
    same_person(1);
    until("the burst", || anomalies() == 1);
    drop(feed);
    let lines = json_lines(&path);
    let flag = lines.iter().find(|line| line["event"] == "anomaly").unwrap();
    assert_eq!((flag["rule"].as_str(), flag["count"].as_u64()), (Some("burst"), Some(60)));
}

/// Reads octet-counted syslog messages until the connection ends, or `most` have come.
fn messages(stream: TcpStream, most: usize) -> Vec<Value> {
    let mut reader = BufReader::new(stream);
    let mut found = Vec::new();
    while found.len() < most {
        let (mut digits, mut byte) = (String::new(), [0]);
        loop {
            if reader.read(&mut byte).unwrap_or(0) == 0 {
                return found;
            }
            if byte[0] == b' ' {
                break;
            }
            digits.push(char::from(byte[0]));
        }
        let mut message = vec![0; digits.parse().unwrap()];
        if reader.read_exact(&mut message).is_err() {
            return found;
        }
        let message = String::from_utf8(message).unwrap();
        let mut parts = message.splitn(8, ' ');
        let header: Vec<&str> = parts.by_ref().take(7).collect();
        assert!(header[0].starts_with('<') && header[0].ends_with(">1"), "{message}");
        assert_eq!((header[3], header[6]), ("likeness", "-"));
        header[1].parse::<jiff::Timestamp>().unwrap();
        found.push(serde_json::from_str(parts.next().unwrap()).unwrap());
    }
    found
}

#[test]
fn a_receiver_that_is_down_or_breaks_off_misses_nothing() {
    let place = place();
    // A port that nobody listens on yet.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let feed = place.feed(&Siem::Syslog { address: address.to_string(), ca: None });
    place.record(120);
    assert_eq!(place.position(), 0, "nothing arrived, nothing is confirmed");
    let listener = TcpListener::bind(address).unwrap();
    // Takes a few, then breaks off in the middle.
    let first = messages(listener.accept().unwrap().0, 30);
    assert_eq!(first.len(), 30);
    place.record(30);
    let (stream, _) = listener.accept().unwrap();
    let second = messages(stream.try_clone().unwrap(), 150);
    let all: Vec<Value> = first.into_iter().chain(second).collect();
    assert_eq!(indexes(&all), (0..150).collect(), "every event, some of them twice");
    until("everything confirmed", || place.position() == 150);
    drop((stream, feed));
}

#[test]
fn tls_is_spoken_with_the_configured_authority_only() {
    let place = place();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(place.data.path().join("siem-ca.pem"), certificate.pem()).unwrap();
    let server =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    place.record(3);
    let address = format!("localhost:{port}");
    let feed = place.feed(&Siem::Syslog { address: address.clone(), ca: Some("siem-ca.pem".into()) });
    let (mut socket, _) = listener.accept().unwrap();
    let mut connection = rustls::ServerConnection::new(Arc::new(server)).unwrap();
    let mut text = String::new();
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    while text.matches("entry_index").count() < 3 {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap();
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    assert!(text.contains("likeness") && text.contains("\"event\":\"audit\""), "{text}");
    drop((socket, feed));
    // Another authority, or none in the file: not a word.
    let other = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let other = other.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    std::fs::write(place.data.path().join("other.pem"), other.pem()).unwrap();
    std::fs::write(place.data.path().join("empty.pem"), "").unwrap();
    let config = |ca: &str| Siem::Syslog { address: address.clone(), ca: Some(ca.into()) };
    assert!(Sink::configured(&config("empty.pem"), &place.data).is_err());
    assert!(Sink::configured(&config("absent.pem"), &place.data).is_err());
    let mut sink = Sink::configured(&config("other.pem"), &place.data).unwrap().unwrap();
    let refused = std::thread::spawn(move || sink.connect().is_err());
    let (mut socket, _) = listener.accept().unwrap();
    // The client's greeting, to which something that is no certificate of that authority is answered.
    let _ = socket.read(&mut [0; 1024]);
    drop(socket);
    assert!(refused.join().unwrap());
}
