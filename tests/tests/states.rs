//! Held and enrolled are separate; pools are separate; the log notices tampering; a full server says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use likeness_proto::v1::{
    EnrolRequest, GetImageRequest, GetSubjectRequest, SearchRequest, SetEnrolledRequest,
    enrol_response::Outcome, enrolment_service_client::EnrolmentServiceClient, get_subject_request::Subject,
    image_service_client::ImageServiceClient, search_service_client::SearchServiceClient,
    subject_service_client::SubjectServiceClient,
};
use likeness_tests::{
    client::{channel, context, source, token},
    faces,
    service::Service,
};
use tonic::Code;

fn enrol(pool: &str, person: u32) -> EnrolRequest {
    EnrolRequest {
        context: Some(context("record_management", "ENROL")),
        pool: pool.into(),
        subject_reference: format!("p{person}"),
        source_reference: format!("p{person}/0.jpg"),
        image: faces::plain(person, 0).into(),
        ..EnrolRequest::default()
    }
}

fn search(pool: &str, person: u32, length: u32) -> SearchRequest {
    SearchRequest {
        context: Some(context("criminal_investigation", "SEARCH")),
        probe: faces::plain(person, 0).into(),
        source: Some(source()),
        selection: None,
        pools: vec![pool.into()],
        candidate_list_length: length,
        ..SearchRequest::default()
    }
}

#[tokio::test]
async fn a_held_image_is_never_a_candidate() {
    let mut service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let connection = channel(&service).await;
    let mut enrolment = EnrolmentServiceClient::with_interceptor(connection.clone(), token(&service.data()));
    let mut searches = SearchServiceClient::with_interceptor(connection.clone(), token(&service.data()));
    let first = enrolment.enrol(enrol("cells", 1)).await.unwrap().into_inner();
    let second = enrolment.enrol(enrol("cells", 2)).await.unwrap().into_inner();
    assert_eq!((first.outcome(), second.outcome()), (Outcome::Enrolled, Outcome::Enrolled));
    let mut held = enrol("cells", 3);
    held.hold_only = true;
    assert_eq!(enrolment.enrol(held).await.unwrap().into_inner().outcome(), Outcome::Held);
    assert_eq!(searches.search(search("cells", 3, 10)).await.unwrap().into_inner().candidates.len(), 2);

    let set = |enrolled| SetEnrolledRequest {
        context: Some(context("record_management", "STATE")),
        pool: "cells".into(),
        image_id: first.image_id.clone(),
        enrolled,
    };
    assert!(enrolment.set_enrolled(set(false)).await.unwrap().into_inner().changed);
    assert!(!enrolment.set_enrolled(set(false)).await.unwrap().into_inner().changed);
    let answer = searches.search(search("cells", 1, 10)).await.unwrap().into_inner();
    assert_eq!(answer.candidates.len(), 1);
    assert_eq!(answer.candidates[0].subject_reference, "p2");

    // The image itself is still held, and says so; a restart does not bring it back into search.
    let mut subjects = SubjectServiceClient::with_interceptor(connection.clone(), token(&service.data()));
    let request = GetSubjectRequest {
        context: Some(context("record_management", "READ")),
        pool: "cells".into(),
        subject: Some(Subject::SubjectReference("p1".into())),
    };
    let read = subjects.get_subject(request).await.unwrap().into_inner();
    assert!(read.images[0].held && !read.images[0].enrolled, "{:?}", read.images[0]);
    let mut images = ImageServiceClient::with_interceptor(connection, token(&service.data()));
    let image = images
        .get_image(GetImageRequest {
            context: Some(context("record_management", "READ")),
            pool: "cells".into(),
            image_id: first.image_id.clone(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(image.image, faces::plain(1, 0), "the very bytes that were enrolled");
    assert_eq!(image.media_type, "image/jpeg");

    service.kill();
    service.serve();
    let connection = channel(&service).await;
    let mut searches = SearchServiceClient::with_interceptor(connection.clone(), token(&service.data()));
    assert_eq!(searches.search(search("cells", 1, 10)).await.unwrap().into_inner().candidates.len(), 1);
    let mut enrolment = EnrolmentServiceClient::with_interceptor(connection, token(&service.data()));
    assert!(enrolment.set_enrolled(set(true)).await.unwrap().into_inner().enrolled);
    let back = searches.search(search("cells", 1, 10)).await.unwrap().into_inner();
    assert_eq!(back.candidates[0].subject_reference, "p1");
    assert!(back.candidates[0].similarity > 0.999);
}

#[tokio::test]
async fn another_image_under_the_same_reference_is_refused() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut enrolment =
        EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let first = enrolment.enrol(enrol("cells", 1)).await.unwrap().into_inner();
    let again = enrolment.enrol(enrol("cells", 1)).await.unwrap().into_inner();
    assert_eq!(again.outcome(), Outcome::AlreadyEnrolled);
    assert_eq!(again.image_id, first.image_id);
    let mut other = enrol("cells", 1);
    other.image = faces::plain(2, 0).into();
    match enrolment.enrol(other).await {
        Ok(answer) => assert_eq!(answer.into_inner().outcome(), Outcome::Refused),
        Err(status) => assert_eq!(status.code(), Code::AlreadyExists, "{status:?}"),
    }
}

#[tokio::test]
async fn a_pool_with_another_pools_key_does_not_open() {
    let mut service = Service::start();
    service.ok(&["pool", "create", "one", "--kind", "custody"]);
    service.ok(&["pool", "create", "two", "--kind", "custody"]);
    let mut enrolment =
        EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    enrolment.enrol(enrol("one", 1)).await.unwrap();
    service.stop();
    let keys = service.data().join("keys/pools");
    let kept = fs::read(keys.join("one.key")).unwrap();
    fs::copy(keys.join("two.key"), keys.join("one.key")).unwrap();
    let output = service.command(&["serve", "--data", service.data().to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success(), "a server with swapped keys started");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("one") && said.contains("key"), "{said}");
    fs::write(keys.join("one.key"), kept).unwrap();
    service.serve();
}

#[tokio::test]
async fn nothing_enrolled_lies_in_the_clear() {
    let mut service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut enrolment =
        EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let mut request = enrol("cells", 1);
    request.subject_reference = "CANARY-SUBJECT-7781".into();
    request.details = Some(likeness_proto::v1::SubjectDetails {
        display_name: "CANARY NAME 7781".into(),
        ..Default::default()
    });
    let image = request.image.clone();
    enrolment.enrol(request).await.unwrap();
    let mut searches = SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let answer = searches.search(search("cells", 1, 5)).await.unwrap().into_inner();
    assert_eq!(answer.candidates[0].subject_reference, "CANARY-SUBJECT-7781");
    service.stop();
    let mut scanned = 0;
    for entry in walkdir::WalkDir::new(service.data()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            scanned += 1;
            for canary in [b"CANARY-SUBJECT-7781".as_slice(), b"CANARY NAME 7781", &image[1000..1064]] {
                assert!(
                    !bytes.windows(canary.len()).any(|window| window == canary),
                    "{} holds it in the clear",
                    entry.path().display()
                );
            }
        }
    }
    assert!(scanned > 10, "only {scanned} files were scanned");
    assert!(!service.server_log().contains("CANARY"), "the log names a person");
}

#[tokio::test]
async fn a_changed_log_is_noticed() {
    let mut service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    for person in 0..6 {
        let mut enrolment =
            EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
        enrolment.enrol(enrol("cells", person)).await.unwrap();
    }
    service.stop();
    service.ok(&["audit", "verify"]);
    let path = service.data().join("audit/audit.sqlite");
    let intact = fs::read(&path).unwrap();
    let changes = [
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'record_management', 'record_managemenu') AS BLOB) WHERE idx = 3",
        "DELETE FROM entry WHERE idx = 2",
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE entry SET idx = 9999 WHERE idx = 1; UPDATE entry SET idx = 1 WHERE idx = 2; UPDATE entry SET idx = 2 WHERE idx = 9999",
        "DELETE FROM entry",
        "DELETE FROM entry WHERE idx >= 4; DELETE FROM checkpoint WHERE rowid > 2",
    ];
    for change in changes {
        {
            let database = rusqlite::Connection::open(&path).unwrap();
            let triggers: Vec<String> = database
                .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(database.execute_batch(change).is_err(), "the store itself allowed: {change}");
            let _ = database.execute_batch("ROLLBACK");
            for trigger in triggers {
                database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
            }
            database.execute_batch(change).unwrap();
        }
        let output = service.cli(&["audit", "verify"]);
        assert_eq!(
            output.status.code(),
            Some(6),
            "not noticed: {change}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(service.data().join(format!("audit/audit.sqlite{ending}")));
        }
        fs::write(&path, &intact).unwrap();
        service.ok(&["audit", "verify"]);
    }
}
