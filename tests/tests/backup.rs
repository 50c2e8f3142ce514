//! Backups and restores with the real server: made over gRPC while people are enrolled, put back with the command, on the same and on
//! a new data folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path, process::Command, time::Duration};

use likeness_proto::v1::{
    CreateBackupRequest, SearchRequest, backup_service_client::BackupServiceClient,
    enrolment_service_client::EnrolmentServiceClient, search_service_client::SearchServiceClient,
};
use likeness_tests::{
    auditing::{enrol, recorded, size},
    client::{bare_token, channel, context, source, token, token_for},
    faces,
    service::{Service, binary},
};
use tokio_stream::StreamExt as _;

/// Persons that are enrolled before the backup.
const PERSONS: u32 = 12;

fn filled(service: &Service) {
    let images = service.scratch().join("photographs");
    faces::folder(&images, 0..PERSONS, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
}

/// The lists for every person, without what differs from call to call.
async fn lists(service: &Service) -> Vec<Vec<(String, String, String)>> {
    let mut client = SearchServiceClient::with_interceptor(channel(service).await, token(&service.data()));
    let mut lists = Vec::new();
    for person in 0..PERSONS {
        let request = SearchRequest {
            context: Some(context("criminal_investigation", "CHECK")),
            probe: faces::plain(person, 0).into(),
            source: Some(source()),
            pools: vec!["cells".into()],
            candidate_list_length: 5,
            ..SearchRequest::default()
        };
        let answer = client.search(request).await.unwrap().into_inner();
        let shown = |c: &likeness_proto::v1::Candidate| {
            (c.image_id.clone(), c.source_reference.clone(), format!("{:.6}", c.similarity))
        };
        lists.push(answer.candidates.iter().map(shown).collect());
    }
    lists
}

fn refused(service: &Service, arguments: &[&str], exit: i32) -> String {
    let output = service.cli(arguments);
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_people_are_enrolled_is_put_back() {
    let mut service = Service::start();
    filled(&service);
    let before = lists(&service).await;

    // A person without the right is refused, over the wire.
    let (scratch, data) = (service.scratch().to_path_buf(), service.data());
    let request = |name: &str| CreateBackupRequest {
        context: Some(context("system_administration", "BACKUP-1")),
        destination: scratch.join(name).to_str().unwrap().to_owned(),
        without_credentials: false,
    };
    let searcher = token_for(&service, "s-1", "local", &["searcher"]);
    let mut client = BackupServiceClient::with_interceptor(channel(&service).await, searcher);
    let denied = client.create_backup(request("backup")).await.unwrap_err();
    assert_eq!(denied.code(), tonic::Code::PermissionDenied);
    assert!(!scratch.join("backup").exists());

    // Others go on enrolling.
    let connection = channel(&service).await;
    let (me, items) = (token(&data), tokio_stream::iter(PERSONS..50).map(|person| enrol(person, "cells")));
    let busy = tokio::spawn(async move {
        let mut client = EnrolmentServiceClient::with_interceptor(connection, me);
        let mut answers =
            client.enrol_stream(items.throttle(Duration::from_millis(5))).await.unwrap().into_inner();
        let mut enrolled = 0;
        while answers.message().await.unwrap().is_some() {
            enrolled += 1;
        }
        enrolled
    });
    let from = size(&service);
    let mut client = BackupServiceClient::with_interceptor(channel(&service).await, token(&data));
    let made = client.create_backup(request("backup")).await.unwrap().into_inner();
    assert!(busy.await.unwrap() > 30);
    assert!(made.pools[0].images >= u64::from(PERSONS) && made.files > 20, "{made:?}");
    let receipt = made.receipt.clone().unwrap();
    let entries = recorded(&service, from);
    let outcome = entries.iter().find(|entry| entry.event_id.to_string() == receipt.event_id).unwrap();
    assert_eq!(outcome.notes["manifest_digest"], made.manifest_digest);
    let backup = scratch.join("backup");
    // Anybody can check it, without this program.
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&backup)
        .status();
    assert!(sums.unwrap().success());
    let said = refused(&service, &["backup", "--to", backup.to_str().unwrap()], 3);
    assert!(said.contains("exists already"), "{said}");

    // While the server runs, nothing is restored.
    let restore = ["restore", "--from", backup.to_str().unwrap(), "--into", data.to_str().unwrap()];
    let said = refused(&service, &restore, 3);
    assert!(said.contains("stop the server"), "{said}");
    service.stop();
    // What came after the backup would be missing; how much is said.
    let said = refused(&service, &restore, 3);
    assert!(said.contains("newer_records") && said.contains("--yes"), "{said}");
    let restored =
        service.json(&[&restore[..], &["--yes", "--json", "--expect", &made.manifest_digest]].concat());
    assert_eq!(restored["pools"][0]["images"], made.pools[0].images);
    assert!(restored["missing"][0]["images"].as_u64().unwrap() > 0, "{restored}");
    service.serve();
    service.ok(&["audit", "verify"]);
    // Who was in it is found as before; the others of the stream that came later are gone.
    let after = lists(&service).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before[0], after[0]);
    }
    let pools = service.json(&["pool", "list", "--json"]);
    assert_eq!(pools["pools"][0]["images_held"], made.pools[0].images, "{pools}");
    println!("report: a backup of {} files, made while others were enrolled, was put back", made.files);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_and_onto_a_new_folder() {
    let mut service = Service::start();
    filled(&service);
    let before = lists(&service).await;
    let searcher = bare_token(&service, "s-1", "local", &["searcher"]);
    service.stop();
    let scratch = service.scratch().to_path_buf();
    let (backup, new) = (scratch.join("backup"), scratch.join("new"));
    let (from, into) = (backup.to_str().unwrap(), new.to_str().unwrap());
    let made = service.json(&["backup", "--to", from, "--json"]);
    assert_eq!(made["pools"][0]["subjects"], PERSONS, "{made}");
    // Not by everybody, without a server either.
    let profile = fs::read_to_string(service.data().join("profile.toml")).unwrap();
    let line = profile.lines().find(|line| line.starts_with("token")).unwrap();
    let mine = service.data().join("other.toml");
    fs::write(&mine, profile.replace(line, &format!("token = \"{searcher}\""))).unwrap();
    assert!(Command::new("chmod").arg("600").arg(&mine).status().unwrap().success());
    let elsewhere = scratch.join("elsewhere");
    let said = refused(
        &service,
        &["--profile", mine.to_str().unwrap(), "backup", "--to", elsewhere.to_str().unwrap()],
        4,
    );
    assert!(said.contains("not_permitted"), "{said}");

    // A new folder needs the keys, and says so.
    let output = bare(&["restore", "--from", from, "--into", into]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("--keys"), "{said}");
    let keys = service.data().join("keys");
    let output = bare(&["restore", "--from", from, "--into", into, "--keys", keys.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("12 subjects"), "{said}");

    // The new folder in the place of the old one: the same answers.
    let old = scratch.join("old");
    fs::rename(service.data(), &old).unwrap();
    fs::rename(&new, service.data()).unwrap();
    service.serve();
    assert_eq!(lists(&service).await, before);
    service.ok(&["audit", "verify"]);
    let log = recorded(&service, 0);
    assert!(log.iter().any(|entry| entry.rpc == "likeness.cli/Restore"), "{} entries", log.len());
    assert!(!Path::new(&format!("{into}.partial")).exists());
}

/// A call without a profile.
fn bare(arguments: &[&str]) -> std::process::Output {
    Command::new(binary("likeness")).args(arguments).env_remove("LIKENESS_PROFILE").output().unwrap()
}
