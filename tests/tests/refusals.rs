//! No purpose, no search: what is missing is named, what is forbidden is refused, and every refusal is on record.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use likeness_proto::v1::{
    CompareRequest, CreatePoolRequest, EnrolRequest, PoolKind, RequestContext, SearchRequest,
    comparison_service_client::ComparisonServiceClient, enrolment_service_client::EnrolmentServiceClient,
    pool_service_client::PoolServiceClient, search_service_client::SearchServiceClient,
};
use likeness_tests::{
    client::{Token, channel, context, source, token},
    faces,
    service::Service,
};
use tonic::Code;

/// Takes one field out of a request.
type Change = fn(&mut SearchRequest);

/// Entries in the audit log, as the offline checker counts them.
fn entries(service: &Service) -> u64 {
    service.json(&["audit", "verify", "--json"])["entries"].as_u64().unwrap()
}

fn search(context: Option<RequestContext>, pool: &str) -> SearchRequest {
    SearchRequest {
        context,
        probe: faces::plain(0, 0).into(),
        source: Some(source()),
        selection: None,
        pools: vec![pool.into()],
        candidate_list_length: 5,
        ..SearchRequest::default()
    }
}

#[tokio::test]
async fn each_missing_field_is_named_and_recorded() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut client = SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let blank: [(&str, Change); 9] = [
        ("context", |request| request.context = None),
        ("system_name", |request| request.context.as_mut().unwrap().system_name.clear()),
        ("reference_id", |request| request.context.as_mut().unwrap().reference_id.clear()),
        ("purpose_code", |request| request.context.as_mut().unwrap().purpose_code.clear()),
        ("justification", |request| request.context.as_mut().unwrap().justification.clear()),
        ("source", |request| request.source = None),
        ("source_type", |request| request.source.as_mut().unwrap().source_type.clear()),
        ("acquired_under", |request| request.source.as_mut().unwrap().acquired_under.clear()),
        ("investigation_ref", |request| request.source.as_mut().unwrap().investigation_ref.clear()),
    ];
    for (field, clear) in blank {
        let before = entries(&service);
        let mut request = search(Some(context("criminal_investigation", "REF-1")), "cells");
        clear(&mut request);
        let status = client.search(request).await.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
        assert!(
            status.message().contains(field),
            "the refusal does not name `{field}`: {}",
            status.message()
        );
        assert!(entries(&service) > before, "the refusal for `{field}` left no audit entry");
    }
}

#[tokio::test]
async fn nobody_is_refused_and_recorded() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let before = entries(&service);
    let wrong: [(&str, Token); 3] = [
        ("no token", Token(None)),
        ("not a token", Token(Some("Bearer nonsense".parse().unwrap()))),
        // A well-formed token that nobody signed.
        (
            "unsigned",
            Token(Some(
                "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ.".parse().unwrap(),
            )),
        ),
    ];
    for (name, token) in wrong {
        let mut client = SearchServiceClient::with_interceptor(channel(&service).await, token);
        let status = client
            .search(search(Some(context("criminal_investigation", "REF-1")), "cells"))
            .await
            .expect_err(name);
        assert_eq!(status.code(), Code::Unauthenticated, "{name}: {status:?}");
    }
    assert_eq!(entries(&service), before + 3);
}

#[tokio::test]
async fn purposes_keep_pools_apart() {
    let service = Service::start();
    for (name, kind) in
        [("cells", "custody"), ("missing", "missing-person"), ("remains", "unidentified-remains")]
    {
        service.ok(&["pool", "create", name, "--kind", kind]);
    }
    let mut client = SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    for (pool, purpose) in [
        ("missing", "criminal_investigation"),
        ("remains", "criminal_investigation"),
        ("cells", "locate_missing_person"),
        ("cells", "immigration_enforcement"),
        ("missing", "immigration_enforcement"),
        ("cells", "no_such_purpose"),
    ] {
        let status = client.search(search(Some(context(purpose, "REF-2")), pool)).await.expect_err(pool);
        assert_eq!(status.code(), Code::PermissionDenied, "{pool} for {purpose}: {status:?}");
    }
    // One allowed and one refused pool: a partial answer that says so.
    let mut request = search(Some(context("criminal_investigation", "REF-3")), "cells");
    request.pools.push("missing".into());
    let before = entries(&service);
    let answer = client.search(request).await.unwrap().into_inner();
    assert_eq!(answer.pools.len(), 2);
    let missing = answer.pools.iter().find(|pool| pool.pool == "missing").unwrap();
    assert!(!missing.searched && missing.refusal.is_some() && missing.gallery_size == 0, "{missing:?}");
    let cells = answer.pools.iter().find(|pool| pool.pool == "cells").unwrap();
    assert!(cells.searched && cells.receipt.is_some(), "{cells:?}");
    assert!(entries(&service) >= before + 2, "one event per pool touched");
    // A pool that does not exist looks like one that is forbidden.
    let unknown =
        client.search(search(Some(context("criminal_investigation", "REF-4")), "nowhere")).await.unwrap_err();
    let forbidden =
        client.search(search(Some(context("criminal_investigation", "REF-4")), "missing")).await.unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.message().replace("nowhere", "P")),
        (forbidden.code(), forbidden.message().replace("missing", "P"))
    );
}

#[tokio::test]
async fn hostile_strings_are_refused_and_harm_nothing() {
    let service = Service::start();
    let mut pools = PoolServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    for name in ["", "../escape", "a/b", "A b", "x\0y", &"n".repeat(200), "con\nfig"] {
        let status = pools
            .create_pool(CreatePoolRequest {
                context: Some(context("system_administration", "REF-5")),
                name: name.into(),
                kind: PoolKind::Custody.into(),
                rationale: "made by a hostile test".into(),
                purposes: vec![],
                quality_policy: vec![],
            })
            .await
            .expect_err(name);
        assert_eq!(status.code(), Code::InvalidArgument, "{name:?}: {status:?}");
    }
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut enrolment =
        EnrolmentServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    for hostile in ["line\nbreak", "nul\0byte", &"l".repeat(5_000), "\u{202e}reversed", "esc\u{1b}[2J"] {
        let request = EnrolRequest {
            context: Some(context("record_management", "REF-6")),
            pool: "cells".into(),
            subject_reference: hostile.into(),
            source_reference: "one".into(),
            image: faces::plain(1, 0).into(),
            ..EnrolRequest::default()
        };
        match enrolment.enrol(request).await {
            Err(status) => assert_eq!(status.code(), Code::InvalidArgument, "{hostile:?}: {status:?}"),
            Ok(answer) => panic!("{hostile:?} was accepted: {:?}", answer.into_inner().outcome),
        }
    }
    let mut comparison =
        ComparisonServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let mut hostile = context("criminal_investigation", "REF-7");
    hostile.justification = "because\u{0}".into();
    let status = comparison
        .compare(CompareRequest {
            context: Some(hostile),
            image_a: faces::plain(1, 0).into(),
            image_b: faces::plain(1, 1).into(),
            source: Some(source()),
            selection_a: None,
            selection_b: None,
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    service.ok(&["audit", "verify"]);
}
