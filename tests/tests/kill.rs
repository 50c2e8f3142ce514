//! `kill -9` during a bulk enrolment: what was acknowledged is searchable, nothing is half there, the audit verifies, and the same
//! command finishes the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeSet, time::Duration};

use likeness_proto::v1::{
    EnrolRequest, SearchRequest, enrol_response::Outcome, enrolment_service_client::EnrolmentServiceClient,
    search_service_client::SearchServiceClient,
};
use likeness_tests::{
    client::{channel, context, source, token},
    faces,
    service::Service,
};
use tokio_stream::StreamExt as _;

const PERSONS: u32 = 60;

fn request(person: u32) -> EnrolRequest {
    EnrolRequest {
        context: Some(context("record_management", "BULK-1")),
        pool: "cells".into(),
        subject_reference: format!("p{person:05}"),
        source_reference: format!("p{person:05}/0.jpg"),
        image: faces::plain(person, 0).into(),
        ..EnrolRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_items_survive_and_a_rerun_finishes() {
    let mut service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let requests: Vec<_> = (0..PERSONS).map(request).collect();
    let mut acknowledged = BTreeSet::new();

    // Killed after 3, 20 and 41 further acknowledgements, wherever the server then is.
    for further in [3usize, 20, 41] {
        let mut client =
            EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
        let stream = tokio_stream::iter(requests.clone()).throttle(Duration::from_millis(1));
        let mut results = client.enrol_stream(stream).await.unwrap().into_inner();
        let mut new = 0;
        while let Ok(Some(result)) = results.message().await {
            match result.outcome() {
                Outcome::Enrolled => new += 1,
                Outcome::AlreadyEnrolled => {}
                other => panic!("{}: {other:?}: {:?}", result.source_reference, result.refusal),
            }
            acknowledged.insert(result.source_reference.clone());
            if new >= further {
                break;
            }
        }
        service.kill();
        service.serve();
        check(&service, &acknowledged).await;
    }

    // The same stream again finishes the rest.
    let mut client =
        EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let mut results = client.enrol_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut finished = 0;
    while let Some(result) = results.message().await.unwrap() {
        assert!(
            matches!(result.outcome(), Outcome::Enrolled | Outcome::AlreadyEnrolled),
            "{:?}",
            result.refusal
        );
        acknowledged.insert(result.source_reference);
        finished += 1;
    }
    assert_eq!(finished, PERSONS);
    check(&service, &acknowledged).await;
    let pools = service.json(&["pool", "list", "--json"]);
    let listed = pools.to_string();
    assert!(listed.contains(&format!("\"images_enrolled\":{PERSONS}")), "{listed}");
}

/// Every acknowledged image is found by its own bytes; the audit verifies.
async fn check(service: &Service, acknowledged: &BTreeSet<String>) {
    let mut client = SearchServiceClient::with_interceptor(channel(service).await, token(&service.data()));
    for reference in acknowledged {
        let person: u32 = reference[1..6].parse().unwrap();
        let request = SearchRequest {
            context: Some(context("criminal_investigation", "CHECK")),
            probe: faces::plain(person, 0).into(),
            source: Some(source()),
            selection: None,
            pools: vec!["cells".into()],
            candidate_list_length: 1,
            ..SearchRequest::default()
        };
        let answer = client.search(request).await.unwrap().into_inner();
        assert_eq!(&answer.candidates[0].source_reference, reference);
        assert!(answer.candidates[0].similarity > 0.999, "{}", answer.candidates[0].similarity);
    }
    service.ok(&["audit", "verify"]);
}
