//! A force is told which of its images must go: listed, signed, acknowledged in part, late, erased, compared; and the numbers agree with
//! what was enrolled, before and after.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use likeness_proto::v1::{GetDeletionListRequest, deletion_list_service_client::DeletionListServiceClient};
use likeness_server::{
    clock::FixedClock,
    data::DataDir,
    service::{
        AgeingAnswer, AgeingRequest, Asked, ContextFields, Opening, Peer, Rendered, Service as Server,
    },
};
use likeness_tests::{
    auditing::{self, recorded},
    client::{channel, context, profile_for, token},
    faces,
    scan::{Needle, files, found},
    service::Service,
};
use rusqlite::Connection;
use serde_json::Value;
use tonic::Code;

/// Longest wait for what happens by itself.
const SOON: Duration = Duration::from_secs(30);

fn today() -> String {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// A custody pool of eight persons with an image each.
fn with_persons() -> Service {
    let service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..8, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
    service
}

/// Ends the case of persons without a conviction, and waits until none of them is in use.
fn due(service: &Service, persons: &[(&str, &str)]) {
    let today = today();
    let lines: String = persons
        .iter()
        .map(|(person, force)| {
            format!("{person},CR-{person},{force},{today},TH68:3,no_further_action,{today}\n")
        })
        .collect();
    let file = service.scratch().join("outcomes.csv");
    let header = "subject_reference,event_reference,force,occurred_on,offences,outcome,outcome_on\n";
    fs::write(&file, format!("{header}{lines}")).unwrap();
    service.ok(&["retention", "events", "cells", "--file", file.to_str().unwrap()]);
    let began = Instant::now();
    loop {
        let counts = service.json(&["retention", "report", "cells", "--json"]);
        if counts["counts"]["beyond_use"] == persons.len() {
            return;
        }
        assert!(began.elapsed() < SOON, "{counts}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn lists(service: &Service, arguments: &[&str]) -> Value {
    service.json(&[&["deletion-list"], arguments, &["--json"][..]].concat())
}

fn try_lists(service: &Service, arguments: &[&str]) -> Output {
    service.cli(&[&["deletion-list"], arguments].concat())
}

fn count(numbers: &Value, division: &str, cell: &str) -> [u64; 3] {
    let counts = &numbers["divisions"][division][cell];
    ["persons", "images", "enrolled"].map(|column| counts[column].as_u64().unwrap())
}

fn total(numbers: &Value) -> [u64; 3] {
    ["persons", "images", "enrolled"].map(|column| numbers["total"][column].as_u64().unwrap())
}

fn numbers(service: &Service) -> Value {
    service.json(&["retention", "numbers", "cells", "--json"])
}

fn verify(service: &Service, note: &Path, key: &Path, form: &str, file: &Path) -> Output {
    let [note, key, file] = [note, key, file].map(|path| path.to_str().unwrap());
    service.cli(&["deletion-list", "verify", note, "--key", key, form, file])
}

/// Opens the stopped service as it will be in `days` days, applies the rules, and asks what is late.
fn in_days(service: &Service, days: i64) -> AgeingAnswer {
    let then = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap();
    let data = service.data();
    let server = Server::open(&DataDir::at(&data), Arc::new(FixedClock::at(then)), Opening::Serve).unwrap();
    while server.retention_turn().unwrap() {}
    let profile = fs::read_to_string(data.join("profile.toml")).unwrap();
    let line = profile.lines().find(|line| line.starts_with("token")).unwrap();
    let asked = Asked {
        peer: Peer::Local,
        rpc: "likeness.v1.DeletionListService/GetDeletionListAgeing",
        token: line.split('"').nth(1).map(ToOwned::to_owned),
        context: ContextFields {
            system_name: "likeness-cli".into(),
            reference_id: "AGEING-1".into(),
            purpose_code: "record_management".into(),
            justification: "the monthly exception report".into(),
        },
        deadline: Instant::now() + Duration::from_secs(60),
        request: Vec::new(),
    };
    let request = AgeingRequest { pool: "cells".into(), force: String::new() };
    let answer = server.deletion_list_ageing(asked, &request, |answer| Rendered {
        message: answer.clone(),
        bytes: Vec::new(),
    });
    answer.unwrap().into_parts().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_force_is_told_answers_in_part_grows_late_and_is_compared() {
    let mut service = with_persons();
    let scratch = service.scratch().to_owned();
    let enrolled = numbers(&service);
    assert_eq!(total(&enrolled), [8, 8, 8], "{enrolled}");
    assert_eq!(count(&enrolled, "state", "active"), [8, 8, 8]);
    let none = try_lists(&service, &["make", "cells", "--force", "kent"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&none.stderr).contains("nothing_to_list"));

    let persons = ["p00000", "p00001", "p00002", "p00003"].map(|person| (person, "kent"));
    due(&service, &[&persons[..], &[("p00004", "surrey")]].concat());
    let beyond = numbers(&service);
    assert_eq!(total(&beyond), [8, 8, 3], "{beyond}");
    assert_eq!(count(&beyond, "state", "beyond_use"), [5, 5, 0]);
    assert_eq!(count(&beyond, "outcome", "not_convicted"), [5, 5, 0]);
    assert_eq!(try_lists(&service, &["late", "cells"]).status.code(), Some(7), "five images are on no list");

    // Made, and handed over to a named unit.
    let made = lists(&service, &["make", "cells", "--force", "kent"]);
    assert_eq!((&made["list"]["lines"], &made["more"]), (&4.into(), &false.into()), "{made}");
    let id = made["list"]["id"].as_str().unwrap().to_owned();
    let folder = scratch.join("kent");
    let shown = lists(
        &service,
        &["show", "cells", &id, "--recipient", "kent records unit", "--out", folder.to_str().unwrap()],
    );
    let [json, csv, note]: [PathBuf; 3] =
        ["json", "csv", "note"].map(|end| folder.join(format!("{id}.{end}")));
    let text = fs::read_to_string(&csv).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains("p00000") && text.contains("p00003") && !text.contains("p00004"), "{text}");
    let disclosed = recorded(&service, 0).into_iter().filter(|entry| entry.recipient.is_some());
    let recipients: Vec<_> = disclosed.filter_map(|entry| entry.recipient).collect();
    assert_eq!(recipients.len(), 1);
    assert_eq!(
        (recipients[0].name.as_str(), recipients[0].organisation.as_str()),
        ("kent records unit", "kent")
    );

    // It verifies with the public key alone; any changed byte does not.
    let key = scratch.join("audit.pub");
    fs::write(&key, service.ok(&["audit", "export-key"])).unwrap();
    for (form, file) in [("--list", &json), ("--csv", &csv)] {
        let verified = verify(&service, &note, &key, form, file);
        let said = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(
            verified.status.success() && said.contains("force kent") && said.contains("4 lines"),
            "{said}"
        );
        let whole = fs::read(file).unwrap();
        let changed = scratch.join("changed");
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&changed, bytes).unwrap();
            assert_eq!(verify(&service, &note, &key, form, &changed).status.code(), Some(6), "{form} {at}");
        }
        let other = scratch.join("other.note");
        fs::write(&other, fs::read_to_string(&note).unwrap().replace("4 lines", "5 lines")).unwrap();
        assert_eq!(verify(&service, &other, &key, form, file).status.code(), Some(6));
    }

    // The force answers with its list, two columns added, for two of the four persons.
    let images: Vec<String> = shown["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["image_id"].as_str().unwrap().to_owned())
        .collect();
    let answers = ["answered,why", "deleted,", "retained,needed at the trial of J. Doe", ",", ","];
    let back: String = text.lines().zip(answers).map(|(line, more)| format!("{line},{more}\r\n")).collect();
    let file = scratch.join("back.csv");
    fs::write(&file, back).unwrap();
    let taken = lists(&service, &["acknowledge", "cells", &id, "--file", file.to_str().unwrap()]);
    assert_eq!((&taken["taken"], &taken["list"]["open"]), (&2.into(), &2.into()), "{taken}");
    let final_ = try_lists(&service, &["acknowledge", "cells", &id, "--image", &images[0], "--not-found"]);
    assert_eq!(final_.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&final_.stderr).contains("final"));
    let compared: Value =
        serde_json::from_slice(&try_lists(&service, &["reconcile", "cells", &id, "--json"]).stdout).unwrap();
    assert_eq!(compared["agreed"], 1, "{compared}");
    assert_eq!(compared["differ"].as_array().unwrap().len(), 3, "{compared}");
    assert_eq!(compared["differ"][0]["difference"], "kept_by_the_force");
    assert_eq!(compared["differ"][0]["national"], "beyond_use");

    // A restart forgets nothing; a backup has the list, and nothing of it in the clear.
    service.kill();
    service.serve();
    assert_eq!(lists(&service, &["show", "cells", &id])["lines"], {
        let mut lines = shown["lines"].clone();
        let again = lists(&service, &["show", "cells", &id])["lines"].clone();
        lines[0] = again[0].clone();
        lines[1] = again[1].clone();
        assert_eq!((&lines[0]["answered"], &lines[1]["answered"]), (&"deleted".into(), &"retained".into()));
        lines
    });
    let backup = scratch.join("backup");
    service.ok(&[
        "backup",
        "--to",
        backup.to_str().unwrap(),
        "--justification",
        "weekly backup to the vault",
    ]);
    assert!(backup.join("lists/lists.sqlite").is_file());
    let needles: Vec<Needle> = [
        ("the image reference", "p00000/"),
        ("another image reference", "p00001/"),
        ("what the force said", "trial of J. Doe"),
    ]
    .map(|(what, text)| Needle { what, bytes: text.into() })
    .into();
    assert_eq!(found(&backup, &needles), Vec::<String>::new());

    // Within 28 days nothing is late; then the open lines are, and the records are erased.
    service.stop();
    assert!(in_days(&service, 27).forces.is_empty());
    let aged = in_days(&service, 29);
    let late: Vec<_> =
        aged.forces.iter().map(|of| (of.force.as_str(), of.lines, of.most_days_late)).collect();
    assert_eq!(late, [("kent", 2, 1)]);
    assert!(aged.late.iter().all(|one| images[2..].contains(&one.late.image_id)));
    service.serve();
    let erased = numbers(&service);
    assert_eq!(total(&erased), [3, 3, 3], "{erased}");
    assert_eq!(count(&erased, "state", "beyond_use"), [0, 0, 0]);

    // What the lines said is in no file any more; that they were there, and what became of them, is.
    service.stop();
    let left = found(&service.data(), &needles);
    assert_eq!(left, Vec::<String>::new());
    let lines = Connection::open(service.data().join("lists/lists.sqlite")).unwrap();
    let sealed: i64 = lines
        .query_row("SELECT count(*) FROM line WHERE sealed IS NOT NULL OR reason IS NOT NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(sealed, 0, "the sealed bytes are gone, too");
    println!(
        "report: {} files scanned for {} needles, nothing found",
        files(&service.data()).len(),
        needles.len()
    );
    drop(lines);
    service.serve();
    let again = try_lists(
        &service,
        &["show", "cells", &id, "--recipient", "kent records unit", "--out", folder.to_str().unwrap()],
    );
    assert!(String::from_utf8_lossy(&again.stderr).contains("lines_erased"));
    assert!(
        verify(&service, &note, &key, "--csv", &csv).status.success(),
        "what the force has still verifies"
    );

    // The force answers late; one image stays a difference.
    let late = format!(
        "[{{\"image_id\":\"{}\",\"answered\":\"deleted\"}},{{\"image_id\":\"{}\",\"answered\":\"not_found\"}}]",
        images[2], images[3]
    );
    let file = scratch.join("back.json");
    fs::write(&file, late).unwrap();
    lists(&service, &["acknowledge", "cells", &id, "--file", file.to_str().unwrap()]);
    let compared = try_lists(&service, &["reconcile", "cells", &id, "--json"]);
    assert_eq!(compared.status.code(), Some(7));
    let compared: Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!((&compared["agreed"], &compared["list"]["erased"]), (&3.into(), &4.into()), "{compared}");
    assert_eq!(compared["differ"][0]["national"], "erased", "{compared}");
    assert_eq!(compared["differ"][0]["reason"], Value::Null, "a reason goes with the person");

    // To whoever asks in another pool, or for a list that is not there, it is the same.
    service.ok(&["pool", "create", "others", "--kind", "custody"]);
    let mut client =
        DeletionListServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    for (pool, list, code) in [
        ("cells", id.as_str(), Code::Ok),
        ("others", id.as_str(), Code::NotFound),
        ("cells", "dl-0000000000000000", Code::NotFound),
        ("nowhere", id.as_str(), Code::PermissionDenied),
    ] {
        let request = GetDeletionListRequest {
            context: Some(context("record_management", "LIST-1")),
            pool: pool.into(),
            id: list.into(),
            recipient: String::new(),
        };
        let answered =
            client.get_deletion_list(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(answered, code, "{pool} {list}");
    }
    service.ok(&["audit", "verify"]);
    assert!(auditing::size(&service) > 20);
}

#[test]
fn who_may_not_learns_nothing_of_lists_and_numbers() {
    let service = with_persons();
    due(&service, &[("p00000", "kent")]);
    let id =
        lists(&service, &["make", "cells", "--force", "kent"])["list"]["id"].as_str().unwrap().to_owned();
    let out = service.scratch().join("out");
    let manager: &[&str] = &["records_manager"];
    let keeper: &[&str] = &["records_manager", "enroller"];
    let image = "01936b0e-0000-7000-8000-000000000001";
    let calls: [(&[&str], &[&str]); 9] = [
        (&["retention", "numbers", "cells"], manager),
        (&["retention", "numbers", "cells", "--publishable"], manager),
        (&["deletion-list", "make", "cells", "--force", "kent"], manager),
        (&["deletion-list", "list", "cells"], manager),
        (&["deletion-list", "show", "cells", &id], manager),
        (
            &["deletion-list", "show", "cells", &id, "--recipient", "r", "--out", out.to_str().unwrap()],
            manager,
        ),
        (&["deletion-list", "acknowledge", "cells", &id, "--image", image, "--deleted"], keeper),
        (&["deletion-list", "late", "cells"], manager),
        (&["deletion-list", "reconcile", "cells", &id], manager),
    ];
    let mut cells = 0;
    for role in
        ["searcher", "enroller", "reviewer", "pool_admin", "auditor", "national_auditor", "records_manager"]
    {
        let profile = profile_for(&service, role);
        for (call, may) in &calls {
            let output = service.cli(&[&["--profile", profile.as_str()], *call].concat());
            let denied = output.status.code() == Some(4);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(denied, !may.contains(&role), "{role}: {call:?}: {:?} {said}", output.status);
            cells += 1;
        }
        if role == "enroller" {
            // May acknowledge, and is of another force: there is no such list.
            let call = [
                "--profile",
                profile.as_str(),
                "deletion-list",
                "acknowledge",
                "cells",
                &id,
                "--image",
                image,
                "--deleted",
            ];
            assert!(String::from_utf8_lossy(&service.cli(&call).stderr).contains("no_such_list"));
        }
    }
    println!("report: {cells} pairs of role and command were tried");
}
