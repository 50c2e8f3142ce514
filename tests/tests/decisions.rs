//! What a candidate is worth is recorded by trained people, two of them, on a fixed scale, and by nobody and nothing else (R57 to R59).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use likeness_proto::v1::{decision_service_client::DecisionServiceClient, *};
use likeness_tests::{
    auditing::{audit_context, auditing, enrol, search},
    client::{Token, channel, context, token, token_for},
    log::entries,
    service::Service,
};
use tonic::{Code, Status, transport::Channel};

/// A reviewer of the local organisation, with more said of them on the command line.
fn reviewer(service: &Service, person: &str, more: &[&str]) -> Token {
    let data = service.data();
    let fixed = ["token", "issue", "--data", data.to_str().unwrap(), "--org", "local", "--role", "reviewer"];
    let named = ["--person", person, "--name", person];
    let bare = service.ok(&[&fixed[..], &named, more].concat());
    Token(Some(format!("Bearer {}", bare.trim()).parse().unwrap()))
}

struct Desk {
    channel: Channel,
    pool: String,
    search: String,
    subject: String,
}

impl Desk {
    async fn record(
        &self,
        token: &Token,
        change: impl FnOnce(&mut RecordDecisionRequest),
    ) -> Result<RecordDecisionResponse, Status> {
        let mut request = RecordDecisionRequest {
            context: Some(context("criminal_investigation", "REVIEW-1")),
            pool: self.pool.clone(),
            search_event_id: self.search.clone(),
            subject_id: self.subject.clone(),
            decision: Decision::PossibleMatch.into(),
            reason: "ears and the scar agree".into(),
            stage: 1,
            first_event_id: String::new(),
        };
        change(&mut request);
        let mut client = DecisionServiceClient::with_interceptor(self.channel.clone(), token.clone());
        client.record_decision(request).await.map(tonic::Response::into_inner)
    }

    async fn list(&self, token: &Token) -> Vec<RecordedDecision> {
        let request = ListDecisionsRequest {
            context: Some(context("criminal_investigation", "REVIEW-1")),
            pool: self.pool.clone(),
            search_event_id: self.search.clone(),
        };
        let mut client = DecisionServiceClient::with_interceptor(self.channel.clone(), token.clone());
        client.list_decisions(request).await.unwrap().into_inner().decisions
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trained_people_decide_and_nobody_else_can() {
    let service = Service::start();
    let channel = channel(&service).await;
    let me = token(&service.data());
    for pool in ["cells", "others"] {
        service.ok(&["pool", "create", pool, "--kind", "custody"]);
    }
    let mut enrolling =
        enrolment_service_client::EnrolmentServiceClient::with_interceptor(channel.clone(), me.clone());
    for person in [7, 3] {
        enrolling.enrol(enrol(person, "cells")).await.unwrap();
    }
    let mut searching =
        search_service_client::SearchServiceClient::with_interceptor(channel.clone(), me.clone());
    let answer = searching
        .search(SearchRequest { candidate_list_length: 1, ..search(&["cells"]) })
        .await
        .unwrap()
        .into_inner();
    let desk = Desk {
        channel: channel.clone(),
        pool: "cells".into(),
        search: answer.receipt.unwrap().event_id,
        subject: answer.candidates[0].subject_id.clone(),
    };
    let trained = &["--trained-until", "2099-12-31"][..];
    let (first, second) = (reviewer(&service, "r-1", trained), reviewer(&service, "r-2", trained));

    // Machines, the untrained, those whose training is over, other roles, feeds: denied, and on record.
    let machine = reviewer(&service, "robot-1", &["--trained-until", "2099-12-31", "--service-account"]);
    let untrained = reviewer(&service, "r-3", &[]);
    let lapsed = reviewer(&service, "r-4", &["--trained-until", "2020-01-01"]);
    let searcher = token_for(&service, "officer-1", "local", &["searcher"]);
    let cases = [
        (&machine, Code::PermissionDenied, "machines-decide-nothing"),
        (&untrained, Code::PermissionDenied, "the-untrained-decide-nothing"),
        (&lapsed, Code::PermissionDenied, "the-untrained-decide-nothing"),
        (&searcher, Code::PermissionDenied, ""),
        (&Token(None), Code::Unauthenticated, ""),
    ];
    for (token, code, policy) in cases {
        let refused = desk.record(token, |_| {}).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused:?}");
        let entry = entries(&service).pop().unwrap();
        assert_eq!(entry["outcome"], "denied");
        assert!(entry["decision"]["policies"].to_string().contains(policy), "{entry}");
    }
    // A candidate that was not in the list, a search of another pool, one that never was, what is no search: all the same.
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut said = Vec::new();
    let changes: [&dyn Fn(&mut RecordDecisionRequest); 3] = [
        &|request| request.subject_id = nobody.into(),
        &|request| request.pool = "others".into(),
        &|request| request.search_event_id = nobody.into(),
    ];
    for change in changes {
        let refused = desk.record(&first, change).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        said.push(refused.message().to_owned());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    // No opinion, no reason, a stage that does not exist: refused, and named.
    let refused = desk
        .record(&first, |request| {
            request.decision = 0;
            request.reason.clear();
            request.stage = 3;
        })
        .await
        .unwrap_err();
    for field in ["decision", "reason", "stage"] {
        assert!(refused.message().contains(field), "{}", refused.message());
    }

    let made = desk.record(&first, |_| {}).await.unwrap();
    let event = made.receipt.unwrap().event_id;
    // The entry: whose opinion, about whom, on which search; an alteration.
    let entry = entries(&service).pop().unwrap();
    assert_eq!(entry["event_id"], event.as_str());
    assert_eq!(
        (&entry["related"], &entry["operation"]),
        (&desk.search.as_str().into(), &"alteration".into())
    );
    assert_eq!(entry["notes"]["decision"], "possible_match");
    assert_eq!(entry["actor"]["subject"], "r-1");
    assert!(entry["counts"]["seconds_since_search"].is_u64());
    // The second reviewer does not know the first opinion, only that there is one.
    let listed = desk.list(&second).await;
    assert_eq!(
        (listed.len(), listed[0].decision(), listed[0].reason.as_str()),
        (1, Decision::Unspecified, "")
    );
    assert_eq!(desk.list(&first).await[0].decision(), Decision::PossibleMatch);
    // The second decision is another person's, and about a first one.
    let refused = desk
        .record(&first, |request| {
            request.stage = 2;
            request.first_event_id = event.clone();
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("another person"), "{}", refused.message());
    let refused = desk
        .record(&second, |request| {
            request.stage = 2;
            request.first_event_id = desk.search.clone();
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    desk.record(&second, |request| {
        request.stage = 2;
        request.first_event_id = event.clone();
        request.decision = Decision::NoMatch.into();
    })
    .await
    .unwrap();
    let listed = desk.list(&second).await;
    let opinions: Vec<_> = listed.iter().map(|made| (made.stage, made.decision())).collect();
    assert_eq!(opinions, [(1, Decision::PossibleMatch), (2, Decision::NoMatch)]);
    assert_eq!(listed[1].first_event_id, event);

    // An auditor finds all of it beside the search.
    let mut audit = auditing(channel, token_for(&service, "auditor-1", "oversight", &["national_auditor"]));
    let request = QueryEntriesRequest {
        context: audit_context(),
        filter: Some(EntryFilter {
            event_id: desk.search.clone(),
            rpc: "likeness.v1.DecisionService/RecordDecision".into(),
            outcome: "answered".into(),
            ..EntryFilter::default()
        }),
        ..QueryEntriesRequest::default()
    };
    assert_eq!(audit.query_entries(request).await.unwrap().into_inner().entries.len(), 2);
    service.ok(&["audit", "verify"]);
}

#[test]
fn the_command_line_records_and_lists() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let folder = service.scratch().join("people");
    likeness_tests::faces::folder(&folder, 0..3, 1);
    let ended = service.cli(&["enrol", "--pool", "cells", folder.to_str().unwrap()]);
    assert!(matches!(ended.status.code(), Some(0 | 7)));
    let probe = service.scratch().join("probe.png");
    std::fs::write(&probe, likeness_tests::faces::plain(1, 0)).unwrap();
    let why = [
        "--purpose",
        "criminal_investigation",
        "--justification",
        "exercised by the end-to-end tests",
        "--reference",
        "OP-1",
    ];
    let found = service.json(
        &[
            &["search", probe.to_str().unwrap(), "--pool", "cells", "--source", "cctv", "--json"][..],
            &["--acquired-under", "test licence"],
            &why,
        ]
        .concat(),
    );
    let event = found["receipt"]["event_id"].as_str().unwrap();
    let subject = found["candidates"][0]["subject_id"].as_str().unwrap();
    // The operator's own token states no training.
    let record = [
        &["decision", "record", event, "--pool", "cells", "--subject-id", subject][..],
        &["--decision", "no_match", "--reason", "the ears differ clearly"],
        &why,
    ]
    .concat();
    let ended = service.cli(&record);
    assert_eq!(ended.status.code(), Some(4), "{}", String::from_utf8_lossy(&ended.stderr));
    let listed = service.ok(&[&["decision", "list", event, "--pool", "cells"][..], &why].concat());
    assert!(!listed.contains("no_match"), "{listed}");
}
