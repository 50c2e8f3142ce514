//! No audit, no answer: a full disk, a file that cannot be written, a killed writer, a full queue. Real faults of a real server. Each leads
//! to no answer and no change, and to a sound log and a working service afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use likeness_proto::v1::*;
use likeness_server::{
    audit::{AuditRead as _, AuditReader, Entry, Outcome, Phase},
    ids::EventId,
};
use likeness_tests::{
    client::{Token, channel, context, source, token},
    faces,
    service::Service,
};
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};

type Searching = search_service_client::SearchServiceClient<InterceptedService<Channel, Token>>;
type Enrolling = enrolment_service_client::EnrolmentServiceClient<InterceptedService<Channel, Token>>;

async fn clients(service: &Service) -> (Searching, Enrolling) {
    let (channel, token) = (channel(service).await, token(&service.data()));
    (
        search_service_client::SearchServiceClient::with_interceptor(channel.clone(), token.clone()),
        enrolment_service_client::EnrolmentServiceClient::with_interceptor(channel, token),
    )
}

fn search() -> SearchRequest {
    SearchRequest {
        context: Some(context("criminal_investigation", "OP-1")),
        probe: faces::plain(7, 1).into(),
        source: Some(source()),
        pools: vec!["cells".into()],
        candidate_list_length: 5,
        ..SearchRequest::default()
    }
}

fn enrol(person: u32) -> EnrolRequest {
    EnrolRequest {
        context: Some(context("record_management", "ENROL-1")),
        pool: "cells".into(),
        subject_reference: format!("p{person}"),
        source_reference: format!("p{person}/0"),
        // The same 58 faces under new references: rendering one takes longer than enrolling it.
        image: faces::plain(2 + person % 58, 0).into(),
        ..EnrolRequest::default()
    }
}

/// A service with one enrolled person.
async fn filled() -> Service {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    clients(&service).await.1.enrol(enrol(1)).await.unwrap();
    service
}

/// What was answered while things went wrong: it must all be on record afterwards.
#[derive(Default)]
struct Answered {
    receipts: Vec<Receipt>,
    enrolled: BTreeMap<u32, String>,
}

/// Searches and enrols until the service answers no more; gives what it said then.
async fn until_refused(service: &Service, answered: &mut Answered, first_person: u32) -> Status {
    let (mut searching, mut enrolling) = clients(service).await;
    for person in first_person..first_person + 400 {
        match searching.search(search()).await {
            Ok(answer) => answered.receipts.push(answer.into_inner().receipt.unwrap()),
            Err(status) => return status,
        }
        match enrolling.enrol(enrol(person)).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                answered.enrolled.insert(person, answer.image_id);
                answered.receipts.push(answer.receipt.unwrap());
            }
            Err(status) => return status,
        }
    }
    panic!("the fault never came");
}

/// Nothing was said: no receipt, no refusal, no event, and nothing about the request.
fn assert_silent(status: &Status) {
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains("audit"), "{status:?}");
    assert!(status.details().is_empty(), "{status:?}");
    for name in ["likeness-event-id", "likeness-receipt-bin", "likeness-refusal-bin"] {
        assert!(status.metadata().iter().all(|pair| match pair {
            tonic::metadata::KeyAndValueRef::Ascii(key, _) => key.as_str() != name,
            tonic::metadata::KeyAndValueRef::Binary(key, _) => key.as_str() != name,
        }));
    }
}

/// After the repair: the log is sound, holds every answer, and the pool holds what was acknowledged and nothing unexplained.
async fn assert_recovered(service: &Service, answered: &Answered) {
    service.ok(&["audit", "verify"]);
    let key = fs::read_to_string(service.data().join("keys/audit.pub")).unwrap().trim().parse().unwrap();
    let log = AuditReader::open(&service.data().join("audit"), key, None).unwrap();
    for receipt in &answered.receipts {
        let event: EventId = receipt.event_id.parse().unwrap();
        let stored = log.entry(event).unwrap().expect("an answered request is not on record");
        assert_eq!(stored.hash, receipt.entry_hash.as_ref());
    }
    assert!(log.open_intents().unwrap().is_empty(), "every intent has its outcome");
    // What is held is what the log says was enrolled: by an outcome whether or not its answer still arrived, or by what was found at
    // start when the stop came between intent and outcome.
    let entries = log.entries(0, 100_000).unwrap();
    let found = |name: &str| {
        let found =
            |entry: &Entry| entry.notes.get("found_at_start").is_some_and(|found| found.starts_with(name));
        entries.iter().filter(|stored| found(&stored.entry)).count() as u64
    };
    let outcomes: Vec<&Entry> = entries
        .iter()
        .map(|stored| &stored.entry)
        .filter(|entry| entry.rpc.ends_with("/Enrol") && entry.phase == Phase::Outcome)
        .filter(|entry| entry.outcome == Some(Outcome::Answered))
        .collect();
    for image in answered.enrolled.values() {
        let recorded = |entry: &&&Entry| entry.images.iter().any(|id| id.to_string() == *image);
        assert!(outcomes.iter().any(|entry| recorded(&entry)), "an acknowledged image is not on record");
    }
    let pools = service.json(&["pool", "list", "--json"]);
    let held = pools.pointer("/pools/0/images_enrolled").and_then(serde_json::Value::as_u64).unwrap();
    assert_eq!(held, outcomes.len() as u64 + found("stored"), "{pools}");
    let (mut searching, mut enrolling) = clients(service).await;
    searching.search(search()).await.unwrap();
    // A retry of what got no answer succeeds or finds it there.
    let again = enrolling.enrol(enrol(999)).await.unwrap().into_inner();
    assert_eq!(again.outcome(), enrol_response::Outcome::Enrolled);
    service.ok(&["audit", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_any_more() {
    let mut service = filled().await;
    service.stop();
    // The limit counts in units of 512 or 1,024 bytes; its signal is ignored, so that writing fails as on a full disk.
    assert!(service.serve_after("trap '' XFSZ; ulimit -f 1500"));
    let mut answered = Answered::default();
    assert_silent(&until_refused(&service, &mut answered, 100).await);
    assert!(answered.receipts.len() > 2, "it worked before the limit was reached");
    // The door stays shut: the limit is still there, and so is the refusal.
    let (mut searching, mut enrolling) = clients(&service).await;
    assert_silent(&searching.search(search()).await.unwrap_err());
    assert_silent(&enrolling.enrol(enrol(600)).await.unwrap_err());
    service.stop();
    service.serve();
    assert_recovered(&service, &answered).await;
}

/// A file system of its own over the audit folder, unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` when this process may not mount.
    fn over_audit(service: &Service, size: &str) -> Option<Self> {
        let folder = service.data().join("audit");
        let kept = service.scratch().join("kept");
        copy(&folder, &kept);
        let options = format!("size={size},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let mounted = Self(folder);
        copy(&kept, &mounted.0);
        Some(mounted)
    }

    fn remount(&self, how: &str) -> bool {
        let status = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(
        Command::new("sh")
            .args(["-c", "mkdir -p \"$1\" && cp -a \"$0\"/. \"$1\"/"])
            .arg(from)
            .arg(to)
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full() {
    let mut service = filled().await;
    service.stop();
    let Some(mounted) = Mounted::over_audit(&service, "8m") else {
        println!(
            "skipped: a full disk: this user may not mount a small file system; the file size limit is tested instead"
        );
        return;
    };
    service.serve();
    let mut answered = Answered::default();
    // All but a little of the disk is taken by something else.
    let filler = mounted.0.join("filler");
    let fill = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k", "count=104"])
        .arg(format!("of={}", filler.display()))
        .output();
    assert!(fill.is_ok());
    assert_silent(&until_refused(&service, &mut answered, 100).await);
    let (mut searching, _) = clients(&service).await;
    assert_silent(&searching.search(search()).await.unwrap_err());
    service.stop();
    fs::remove_file(filler).unwrap();
    service.serve();
    assert_recovered(&service, &answered).await;
    service.stop();
    println!("report: full disk: {} answers before it, none after, all on record", answered.receipts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_read_only() {
    let mut service = filled().await;
    service.stop();
    let Some(mounted) = Mounted::over_audit(&service, "32m") else {
        println!("skipped: a read-only log: this user may not mount a file system");
        return;
    };
    assert!(mounted.remount("ro"));
    if service.serve_after("true") {
        let (mut searching, mut enrolling) = clients(&service).await;
        assert_silent(&searching.search(search()).await.unwrap_err());
        assert_silent(&enrolling.enrol(enrol(2)).await.unwrap_err());
        service.kill();
    } else {
        let began = Instant::now();
        while !service.server_log().contains("audit") {
            let log = service.server_log();
            assert!(began.elapsed() < Duration::from_secs(10), "it says why it does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert!(mounted.remount("rw"));
    service.serve();
    assert_recovered(&service, &Answered::default()).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_somebody_else_holds_and_a_queue_that_is_full() {
    let mut service = filled().await;
    service.stop();
    let config = service.data().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text
        .replace("\nqueue = 1024\n", "\nqueue = 1\n")
        .replace("append_timeout_ms = 10000", "append_timeout_ms = 700");
    fs::write(&config, text).unwrap();
    service.serve();
    let before = service.json(&["pool", "list", "--json"]);
    // Another process holds the log's write lock: the writer waits, one append waits in the queue, the others find it full.
    let other = rusqlite::Connection::open(service.data().join("audit/audit.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut calls = Vec::new();
    for person in 2..8 {
        let (mut searching, mut enrolling) = clients(&service).await;
        calls.push(tokio::spawn(async move { searching.search(search()).await.map(drop) }));
        calls.push(tokio::spawn(async move { enrolling.enrol(enrol(person)).await.map(drop) }));
    }
    for call in calls {
        assert_silent(&call.await.unwrap().unwrap_err());
    }
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    // Within the writer's own patience the log goes on by itself; on a machine so slow that it ran out, after a restart. What timed out
    // may be on record; nothing of it was done.
    let began = Instant::now();
    let (mut searching, _) = clients(&service).await;
    while let Err(status) = searching.search(search()).await {
        assert_silent(&status);
        if began.elapsed() > Duration::from_secs(3) {
            service.stop();
            service.serve();
            break;
        }
    }
    let after = service.json(&["pool", "list", "--json"]);
    assert_eq!(before["pools"], after["pools"], "nothing changed");
    service.stop();
    service.serve();
    assert_recovered(&service, &Answered::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_killed_while_it_writes() {
    let mut service = filled().await;
    let mut answered = Answered::default();
    for round in 0..3_u32 {
        let mut calls = Vec::new();
        for caller in 0..6 {
            let (mut searching, mut enrolling) = clients(&service).await;
            let person = 100 + round * 10 + caller;
            calls.push(tokio::spawn(async move {
                let mut receipts = Vec::new();
                let mut enrolled = None;
                if let Ok(answer) = enrolling.enrol(enrol(person)).await {
                    let answer = answer.into_inner();
                    receipts.push(answer.receipt.unwrap());
                    enrolled = Some((person, answer.image_id));
                }
                while let Ok(answer) = searching.search(search()).await {
                    receipts.push(answer.into_inner().receipt.unwrap());
                }
                (receipts, enrolled)
            }));
        }
        tokio::time::sleep(Duration::from_millis(400 + 300 * u64::from(round))).await;
        service.kill();
        for call in calls {
            let (receipts, enrolled) = call.await.unwrap();
            answered.receipts.extend(receipts);
            answered.enrolled.extend(enrolled);
        }
        service.serve();
    }
    assert_recovered(&service, &answered).await;
    println!("report: killed 3 times: {} answers, all on record", answered.receipts.len());
}
