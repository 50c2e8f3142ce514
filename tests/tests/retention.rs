//! A custody image leaves by itself, is seen by an auditor only, is held, erased with proof, and stays gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use likeness_proto::v1::{GetWithdrawnRequest, retention_service_client::RetentionServiceClient};
use likeness_tests::{
    client::{channel, context, profile_for, token},
    faces,
    service::Service,
};
use serde_json::Value;
use tonic::Code;

/// Longest wait for what happens by itself; it takes well under a second.
const SOON: Duration = Duration::from_secs(30);
const AUDIT: [&str; 4] = ["--purpose", "verify_lawfulness", "--justification", "yearly review of erasures"];
const WHY: [&str; 6] = [
    "--purpose",
    "criminal_investigation",
    "--justification",
    "suspect leaving the scene of a robbery",
    "--reference",
    "OP-2026-0042",
];

fn today() -> String {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// A day that is ahead whenever this runs.
fn later() -> String {
    let day = jiff::SignedDuration::from_hours(24 * 90);
    let then = jiff::Timestamp::now().checked_add(day).unwrap();
    then.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// The subjects in the candidate list of a search.
fn found(service: &Service, probe: &Path) -> Vec<String> {
    let mut search = vec!["search", probe.to_str().unwrap(), "--pool", "cells", "--json"];
    search.extend(WHY);
    search.extend(["--source", "cctv", "--acquired-under", "consent of the owner"]);
    let answer = service.json(&search);
    let candidates = answer["candidates"].as_array().unwrap();
    candidates.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
}

fn subject_exit(service: &Service, reference: &str) -> Option<i32> {
    let mut read = vec!["subject", reference, "--pool", "cells"];
    read.extend(WHY);
    service.cli(&read).status.code()
}

/// A service with eight persons in the pool `cells`.
fn with_persons() -> Service {
    let service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..8, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
    service
}

fn end_without_conviction(service: &Service, reference: &str) -> Value {
    let today = today();
    service.json(&[
        "retention",
        "event",
        "cells",
        "--subject-reference",
        reference,
        "--event-reference",
        "CR-1",
        "--force",
        "hampshire",
        "--occurred",
        &today,
        "--offence",
        "TH68:3",
        "--outcome",
        "no_further_action",
        "--outcome-on",
        &today,
        "--json",
    ])
}

/// Waits until no search finds the person, and says how long it took.
fn until_out_of_search(service: &Service, probe: &Path, reference: &str) -> Duration {
    let began = Instant::now();
    while found(service, probe).iter().any(|one| one == reference) {
        assert!(began.elapsed() < SOON, "`{reference}` is still found");
        thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

#[test]
fn a_custody_image_leaves_is_held_is_erased_and_stays_gone() {
    let service = with_persons();
    let scratch = service.scratch().to_owned();
    let (own, other) = (scratch.join("own.jpg"), scratch.join("other.jpg"));
    fs::write(&own, faces::plain(7, 0)).unwrap();
    fs::write(&other, faces::plain(7, 1)).unwrap();
    assert_eq!(found(&service, &other)[0], "p00007");

    // R26: an outcome takes the image out of search by itself.
    let altered = end_without_conviction(&service, "p00007");
    assert_eq!(altered["retention"]["assessment"]["disposition"], "due", "{altered}");
    let id = altered["retention"]["subject_id"].as_str().unwrap().to_owned();
    let took = until_out_of_search(&service, &other, "p00007");
    println!("report: out of search {} ms after the outcome was answered", took.as_millis());
    assert_eq!(found(&service, &own).len(), 7, "the others are still found");
    assert_eq!(subject_exit(&service, "p00007"), Some(3), "and out of reading");
    assert_eq!(subject_exit(&service, "p00006"), Some(0));
    let listed = service.json(&["retention", "list", "cells", "--list", "beyond-use", "--json"]);
    assert_eq!(listed["records"][0]["subject_id"], id.as_str(), "{listed}");
    assert_eq!(listed["counts"]["active"], 7, "{listed}");

    // R10: an auditor sees all of it, image included.
    let image = scratch.join("withdrawn.jpg");
    let withdrawn = |more: &[&str]| {
        let mut read = vec!["retention", "withdrawn", "cells", id.as_str(), "--json"];
        read.extend(AUDIT);
        read.extend(more);
        service.json(&read)
    };
    let seen = withdrawn(&[]);
    assert_eq!(seen["state"], "beyond_use", "{seen}");
    assert_eq!(seen["why"]["reason"], "retention_ended", "{seen}");
    let image_id = seen["image_ids"][0].as_str().unwrap().to_owned();
    withdrawn(&["--image", &image_id, "--out", image.to_str().unwrap()]);
    assert_eq!(fs::read(&image).unwrap(), faces::plain(7, 0), "byte for byte what was collected");

    // R35: a hold binds whoever wants to erase.
    service.ok(&[
        "retention",
        "hold",
        "place",
        "cells",
        "--subject",
        &id,
        "--id",
        "H-1",
        "--authority",
        "HM Coroner",
        "--scope",
        "the whole record",
        "--reason",
        "inquest into a death in custody",
        "--expires",
        &later(),
    ]);
    let erase = |more: &[&str]| {
        let mut erase =
            vec!["retention", "erase", "cells", "--subject", id.as_str(), "--reason", "order", "--at-once"];
        erase.extend(more);
        service.cli(&erase)
    };
    let refused = erase(&[]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`H-1`"), "the hold is named");
    let lift = ["--id", "H-1", "--reason", "the inquest is concluded"];
    service.ok(&[&["retention", "hold", "lift", "cells", "--subject", id.as_str()][..], &lift].concat());

    // R33: erased, with a certificate that anybody can check.
    let certificate = scratch.join("certificate.txt");
    let began = Instant::now();
    let done = erase(&["--certificate", certificate.to_str().unwrap(), "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    println!("report: erased at once in {} ms, certificate included", began.elapsed().as_millis());
    let key = scratch.join("audit.pub");
    fs::write(&key, service.ok(&["audit", "export-key"])).unwrap();
    let verify = |file: &Path| {
        service.cli(&[
            "retention",
            "verify-certificate",
            file.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ])
    };
    let verified = verify(&certificate);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.status.code(), Some(0), "{said}");
    assert!(said.contains(&id) && said.contains("1 subject_key") && said.contains("1 image_files"), "{said}");
    let changed = scratch.join("changed.txt");
    fs::write(&changed, fs::read_to_string(&certificate).unwrap().replace("\"order\"", "\"case_closed\""))
        .unwrap();
    assert_eq!(verify(&changed).status.code(), Some(6), "a changed certificate is not believed");

    // Gone: with the person's own image, by reference, for the records manager; a tombstone for the auditor.
    assert!(found(&service, &own).iter().all(|one| one != "p00007"));
    assert_eq!(subject_exit(&service, "p00007"), Some(3));
    let show = ["retention", "show", "cells", "--subject", id.as_str()];
    assert_eq!(service.cli(&show).status.code(), Some(3));
    let tombstone = withdrawn(&[]);
    assert_eq!(tombstone["state"], "erased", "{tombstone}");
    assert_eq!(tombstone["record"], Value::Null, "{tombstone}");
    let note = fs::read_to_string(&certificate).unwrap();
    assert_eq!(tombstone["certificate"], note.as_str());
    assert_eq!(service.ok(&["retention", "certificate", "cells", &id]), note);

    // R34: it does not come in again without a decision.
    let again =
        || service.cli(&["enrol", "--pool", "cells", scratch.join("images").to_str().unwrap(), "--json"]);
    let held = again();
    let summary: Value = serde_json::from_slice(&held.stdout).unwrap();
    assert_eq!(summary["refusals"][0]["code"], "held_for_decision", "{summary}");
    assert_eq!(summary["enrolled"], 0, "{summary}");
    let questions = service.json(&["retention", "reimports", "cells", "--json"]);
    assert_eq!(questions["reimports"].as_array().unwrap().len(), 1, "{questions}");
    let number = questions["reimports"][0]["number"].to_string();
    let reason = ["--reason", "arrested again on another day"];
    service.ok(&[&["retention", "decide", "cells", number.as_str(), "--allow"][..], &reason].concat());
    let let_in: Value = serde_json::from_slice(&again().stdout).unwrap();
    assert_eq!(let_in["enrolled"], 1, "{let_in}");
    assert_eq!(found(&service, &other)[0], "p00007");

    // Once let in does not mean for ever: after another erasure it is asked anew, and a refusal stands.
    service.ok(&[
        "retention",
        "erase",
        "cells",
        "--subject-reference",
        "p00007",
        "--reason",
        "order",
        "--at-once",
    ]);
    for (attempt, open) in [(1, 1), (2, 0)] {
        let summary: Value = serde_json::from_slice(&again().stdout).unwrap();
        assert_eq!(summary["refusals"][0]["code"], "held_for_decision", "{attempt}: {summary}");
        let questions = service.json(&["retention", "reimports", "cells", "--json"]);
        let asked = questions["reimports"].as_array().unwrap();
        assert_eq!(asked.len(), open, "{attempt}: {questions}");
        if let Some(question) = asked.first() {
            let number = question["number"].to_string();
            service
                .ok(&[&["retention", "decide", "cells", number.as_str(), "--refuse"][..], &reason].concat());
        }
    }

    let sound = service.json(&["audit", "verify", "--json"]);
    assert_eq!(sound["sound"], true, "{sound}");
    assert!(sound["contents_erased"].as_u64().unwrap() > 0, "{sound}");
    println!("report: {} pieces of audit content were erased with one person", sound["contents_erased"]);
}

#[test]
fn a_force_sends_its_outcomes_in_a_file() {
    let service = with_persons();
    let file = service.scratch().join("outcomes.csv");
    let header = "subject_reference,event_reference,force,occurred_on,offences,outcome,outcome_on\n";
    let today = today();
    let send = || service.cli(&["retention", "events", "cells", "--file", file.to_str().unwrap()]);

    fs::write(&file, format!("{header}p00001,CR-1,kent,{today},TH68:9,pending,\n")).unwrap();
    let refused = send();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("line 2: `offences`") && said.contains("nothing of it was sent"), "{said}");

    let lines = [
        format!("p00001,CR-1,kent,{today},TH68:3,pending,"),
        format!("p00002,CR-2,kent,{today},TH68:3,no_further_action,{today}"),
        format!("nobody,CR-3,kent,{today},TH68:3,pending,"),
        format!("p00003,CR-4,kent,{today},TH68:3,pending,{today}"),
    ];
    fs::write(&file, format!("{header}{}\n", lines.join("\n"))).unwrap();
    let sent = send();
    let said = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert_eq!(sent.status.code(), Some(7), "{said}");
    assert!(said.contains("line 2: recorded, retained by rule"), "{said}");
    assert!(said.contains("line 3: recorded, due since"), "{said}");
    assert!(said.contains("line 4: ") && said.contains("no_such_subject"), "{said}");
    assert!(said.contains("line 5: ") && said.contains("outcome_on"), "{said}");
    let probe = service.scratch().join("probe.jpg");
    fs::write(&probe, faces::plain(2, 1)).unwrap();
    until_out_of_search(&service, &probe, "p00002");
    assert!(found(&service, &probe).contains(&"p00001".to_owned()));
}

#[test]
fn who_may_not_is_refused_whatever_is_asked() {
    let service = with_persons();
    let nobody = ["--subject", "01936b0e-0000-7000-8000-000000000001"];
    let rules = service.scratch().join("rules.toml");
    fs::write(&rules, "not rules").unwrap();
    let rules = rules.to_str().unwrap();
    let manager: &[&str] = &["records_manager"];
    let keeper: &[&str] = &["records_manager", "enroller"];
    let auditors: &[&str] = &["auditor", "national_auditor"];
    let readers: &[&str] = &["records_manager", "enroller", "pool_admin", "auditor", "national_auditor"];
    let admin: &[&str] = &["pool_admin"];
    let with = |head: &[&str], tail: &[&str]| -> Vec<String> {
        [&["retention"][..], head, tail].concat().iter().map(|part| (*part).to_owned()).collect()
    };
    let until = later();
    let hold = ["--authority", "a court", "--scope", "all of it", "--expires", until.as_str()];
    let calls: Vec<(Vec<String>, &[&str])> = vec![
        (with(&["show", "cells"], &nobody), manager),
        (with(&["list", "cells"], &[]), manager),
        (with(&["report", "cells"], &[]), manager),
        (with(&["run", "cells"], &["--dry-run"]), manager),
        (with(&["erase", "cells", "--reason", "order", "--at-once"], &nobody), manager),
        (with(&["certificate", "cells", nobody[1]], &[]), manager),
        (with(&["reimports", "cells"], &[]), manager),
        (with(&["decide", "cells", "1", "--allow", "--reason", "because it is so"], &[]), manager),
        (with(&["simulate", "cells", "--rules", rules], &[]), manager),
        (
            with(&["review", "cells", "--decision", "dispose", "--necessity", "no reason is left"], &nobody),
            manager,
        ),
        (
            [
                with(&["hold", "place", "cells", "--id", "H", "--reason", "an inquest"], &nobody),
                hold.iter().map(|part| (*part).to_owned()).collect(),
            ]
            .concat(),
            manager,
        ),
        (with(&["category", "cells", "--category", "suspect"], &nobody), keeper),
        (with(&["reopen", "cells"], &nobody), keeper),
        (with(&["withdrawn", "cells", nobody[1]], &AUDIT), auditors),
        (with(&["rules"], &[]), readers),
        (with(&["activate", "--rules", rules], &[]), admin),
    ];
    let roles = [
        "searcher",
        "enroller",
        "reviewer",
        "pool_admin",
        "auditor",
        "national_auditor",
        "protected_viewer",
        "records_manager",
    ];
    let mut cells = 0;
    for role in roles {
        let profile = profile_for(&service, role);
        for (call, may) in &calls {
            let mut arguments = vec!["--profile", profile.as_str()];
            arguments.extend(call.iter().map(String::as_str));
            let output = service.cli(&arguments);
            let denied = output.status.code() == Some(4);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(denied, !may.contains(&role), "{role}: {call:?}: {:?} {said}", output.status);
            cells += 1;
        }
    }
    println!("report: {cells} pairs of role and retention command were tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_without_an_audit_purpose_sees_nothing_of_what_left_use() {
    let service = with_persons();
    let altered = end_without_conviction(&service, "p00005");
    let id = altered["retention"]["subject_id"].as_str().unwrap().to_owned();
    let probe = service.scratch().join("probe.jpg");
    fs::write(&probe, faces::plain(5, 1)).unwrap();
    until_out_of_search(&service, &probe, "p00005");
    let mut client =
        RetentionServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    for (purpose, code) in [
        ("record_management", Code::PermissionDenied),
        ("criminal_investigation", Code::PermissionDenied),
        ("system_administration", Code::PermissionDenied),
        ("verify_lawfulness", Code::Ok),
        ("criminal_proceedings", Code::Ok),
    ] {
        let request = GetWithdrawnRequest {
            context: Some(context(purpose, "AUDIT-1")),
            pool: "cells".into(),
            subject_id: id.clone(),
            image_id: String::new(),
        };
        let answered = client.get_withdrawn(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(answered, code, "{purpose}");
    }
}
