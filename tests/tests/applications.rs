//! Somebody asks that their record be deleted: refused, appealed against, agreed, erased, proved, still counted, and nothing left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use likeness_proto::v1::{
    DecideApplicationRequest, DeletionApplication, ReceiveApplicationRequest, StatedDecision,
    deletion_application_service_client::DeletionApplicationServiceClient,
    receive_application_request::Subject,
};
use likeness_server::{
    clock::FixedClock,
    data::DataDir,
    service::{Opening, Service as Server},
};
use likeness_tests::{
    applying,
    client::{channel, context, profile_for, token},
    faces,
    scan::{Needle, files, found},
    service::Service,
};
use serde_json::Value;
use tonic::Code;

/// Longest wait for what happens by itself; it takes well under a second.
const SOON: Duration = Duration::from_secs(30);
const GROUNDS: &str = "canary grounds 5b1d: I was never charged";
const APPEAL: &str = "canary appeal 8e20: the reason given is wrong";
const PURPOSE: &str = "canary purpose 77c9: detection of burglaries";
const EXCEPTIONAL: &str = "canary exception 31aa: seen at four scenes";

/// A service with three persons in the pool `cells`.
fn with_persons() -> Service {
    let service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..3, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
    service
}

/// Receives an application about `p00001`, over gRPC.
async fn receive(service: &Service) -> DeletionApplication {
    let mut client =
        DeletionApplicationServiceClient::with_interceptor(channel(service).await, token(&service.data()));
    let request = ReceiveApplicationRequest {
        context: Some(context("record_management", "APPLICATION-1")),
        pool: "cells".into(),
        subject: Some(Subject::SubjectReference("p00001".into())),
        force: "kent".into(),
        received_on: String::new(),
        grounds: GROUNDS.into(),
    };
    let answer = client.receive_application(request).await.unwrap().into_inner();
    assert!(answer.receipt.is_some());
    assert_eq!(answer.consequence.unwrap().outcome, "retained");
    let application = answer.application.unwrap();

    // Before anybody decides it is said what a refusal must show, and it is demanded over the wire.
    let presumption = application.presumption.clone().unwrap();
    assert_eq!(presumption.test, "exceptional_reason");
    assert_eq!(presumption.refusal_needs, ["policing_purpose", "exceptional_reason"]);
    assert_eq!(presumption.refused_by, "senior");
    assert!(presumption.words.starts_with("Deletion is presumed."), "{}", presumption.words);
    let decide = |decision: Option<StatedDecision>| DecideApplicationRequest {
        context: Some(context("record_management", "APPLICATION-2")),
        pool: "cells".into(),
        application_id: application.id.clone(),
        decision,
    };
    let bare = StatedDecision {
        verdict: "refused".into(),
        seniority: "senior".into(),
        authority: "delegated by the chief officer".into(),
        reason: "the investigation is open".into(),
        policing_purpose: PURPOSE.into(),
        ..StatedDecision::default()
    };
    let told = client.decide_application(decide(Some(bare.clone()))).await.unwrap_err();
    assert_eq!(told.code(), Code::InvalidArgument);
    assert_eq!(
        told.message(),
        "`decision.exceptional_reason` is missing: deletion is presumed, and a refusal must show it; give it, or agree"
    );
    let junior =
        StatedDecision { seniority: "handler".into(), exceptional_reason: EXCEPTIONAL.into(), ..bare };
    let told = client.decide_application(decide(Some(junior))).await.unwrap_err();
    assert_eq!(told.message(), "deletion is presumed: a refusal is decided by a senior officer");
    assert_eq!(client.decide_application(decide(None)).await.unwrap_err().code(), Code::InvalidArgument);
    application
}

fn shown(service: &Service) -> Value {
    service.json(&["application", "show", "cells", "--subject-reference", "p00001", "--json"])
}

/// The middle of the sealed application, as it lies in the record file.
fn sealed(data: &Path) -> Vec<Needle> {
    let bytes = applying::sealed(data, "cells");
    let middle = bytes.len() / 2;
    vec![Needle { what: "the sealed application", bytes: bytes[middle..middle + 24].to_vec() }]
}

/// What the scheduler does while 29 days pass.
fn a_month_later(data: &Path) {
    let then = Timestamp::now().checked_add(SignedDuration::from_hours(24 * 29)).unwrap();
    let clock = Arc::new(FixedClock::at(then));
    let server = Server::open(&DataDir::at(data), clock, Opening::Serve).unwrap();
    while server.retention_turn().unwrap() {}
}

fn said(needle: &'static str) -> Needle {
    Needle { what: needle, bytes: needle.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_then_agreed_on_appeal_it_is_erased_proved_and_counted() {
    let mut service = with_persons();
    let application = receive(&service).await;
    let (id, subject) = (application.id.as_str(), application.subject_id.as_str());
    // Answered is durable.
    service.kill();
    service.serve();
    assert_eq!(shown(&service)["applications"][0]["grounds"], GROUNDS);
    let listed = service.json(&["application", "list", "cells", "--json"]);
    assert_eq!(listed["applications"][0]["application_id"], id, "{listed}");

    let refuse = ["--refuse", "--seniority", "senior", "--authority", "delegated by the chief officer"];
    let reasons = [
        "--reason",
        "the investigation is open",
        "--policing-purpose",
        PURPOSE,
        "--exceptional-reason",
        EXCEPTIONAL,
    ];
    let before = shown(&service)["consequence"]["next_review_on"].clone();
    let refused = service.ok(&[&["application", "decide", "cells", id][..], &refuse, &reasons].concat());
    assert!(refused.contains("An appeal can come in until"), "{refused}");
    assert_eq!(shown(&service)["consequence"]["next_review_on"], before, "the next review stays");
    service.ok(&["application", "appeal", "cells", id, "--grounds", APPEAL]);
    let agree = ["--agree", "--seniority", "senior", "--authority", "delegated by the chief officer"];
    let why = ["--reason", "the scenes show somebody else", "--json"];
    let decide = [&["application", "decide-appeal", "cells", id][..], &agree, &why].concat();
    assert_eq!(service.cli(&decide).status.code(), Some(4), "who refused does not decide the appeal");

    // A backup from before the decision.
    let backup = service.scratch().join("backup");
    service.ok(&["backup", "--to", backup.to_str().unwrap()]);
    let other = profile_for(&service, "records_manager");
    let won = service.json(&[&["--profile", other.as_str()][..], &decide].concat());
    assert_eq!(won["application"]["state"], "agreed_on_appeal", "{won}");
    assert_eq!(won["consequence"]["outcome"], "leaves_use", "{won}");
    let began = Instant::now();
    while shown(&service)["consequence"]["outcome"] != "beyond_use" {
        assert!(began.elapsed() < SOON, "it is still in use");
        thread::sleep(Duration::from_millis(20));
    }
    println!("report: out of use {} ms after the appeal was agreed", began.elapsed().as_millis());

    service.stop();
    let data = service.data();
    let mut needles = sealed(&data);
    assert_eq!(found(&data, &needles).len(), 1, "it is there until then");
    needles.extend([GROUNDS, APPEAL, PURPOSE, EXCEPTIONAL, "the scenes show somebody else"].map(said));
    needles.push(Needle { what: "the id of the application", bytes: id.into() });
    a_month_later(&data);
    // The id stays in the log, which names by ids who did what; nothing that was said does.
    let left: Vec<String> =
        found(&data, &needles).into_iter().filter(|one| !one.contains("audit.sqlite")).collect();
    assert!(left.is_empty(), "{left:?}");
    let content = found(&data, &needles[..needles.len() - 1]);
    assert!(content.is_empty(), "{content:?}");
    println!("report: {} files scanned for {} needles, nothing found", files(&data).len(), needles.len());

    service.serve();
    let certificate = service.scratch().join("certificate.txt");
    let (file, key) = (certificate.to_str().unwrap(), service.scratch().join("audit.pub"));
    service.ok(&["retention", "certificate", "cells", subject, "--out", file]);
    fs::write(&key, service.ok(&["audit", "export-key"])).unwrap();
    let verify = ["retention", "verify-certificate", file, "--key", key.to_str().unwrap(), "--json"];
    let verified = service.json(&verify);
    assert_eq!(verified["verifies"], true, "{verified}");
    assert_eq!(verified["certificate"]["reason"], "application_granted", "{verified}");
    let gone = service.cli(&["application", "show", "cells", "--subject", subject]);
    assert_eq!(gone.status.code(), Some(3));
    let counted = |more: &[&str]| {
        service.json(&[&["application", "statistics", "cells", "--json"][..], more].concat())["forces"][0]
            .clone()
    };
    let exact = counted(&[]);
    assert_eq!((&exact["received"], &exact["agreed"], &exact["appealed"]), (&1.into(), &1.into(), &1.into()));
    let published = counted(&["--publishable"]);
    assert_eq!((&published["received"], &published["agreed"]), (&Value::Null, &Value::Null), "{published}");
    service.ok(&["audit", "verify"]);

    // An older copy brings nothing of it back; the count is then that of the copy.
    service.stop();
    let (from, into) = (backup.to_str().unwrap(), data.to_str().unwrap());
    service.ok(&["restore", "--from", from, "--into", into, "--justification", "records were damaged"]);
    assert!(found(&data, &needles[..needles.len() - 1]).is_empty());
    service.serve();
    let exact = service.json(&["application", "statistics", "cells", "--json"])["forces"][0].clone();
    assert_eq!((&exact["received"], &exact["refused"]), (&1.into(), &1.into()), "{exact}");
    let listed = service.json(&["application", "list", "cells", "--list", "all", "--json"]);
    assert_eq!(listed["applications"].as_array().unwrap().len(), 0, "{listed}");
}

#[test]
fn each_role_may_do_what_is_its_own_and_nothing_else() {
    let service = with_persons();
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let keeper: &[&str] = &["records_manager", "enroller"];
    let manager: &[&str] = &["records_manager"];
    let verdict =
        ["--agree", "--seniority", "handler", "--authority", "delegated", "--reason", "no reason is left"];
    let calls: [(Vec<&str>, &[&str]); 7] = [
        (vec!["receive", "cells", "--subject", nobody, "--force", "kent"], keeper),
        (vec!["appeal", "cells", nobody, "--grounds", "unfair"], keeper),
        ([&["decide", "cells", nobody][..], &verdict].concat(), manager),
        ([&["decide-appeal", "cells", nobody][..], &verdict].concat(), manager),
        (vec!["show", "cells", "--subject", nobody], manager),
        (vec!["list", "cells"], manager),
        (vec!["statistics", "cells", "--publishable"], manager),
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
            let output = service.cli(&[&["--profile", profile.as_str(), "application"][..], call].concat());
            let denied = output.status.code() == Some(4);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(denied, !may.contains(&role), "{role}: {call:?}: {:?} {told}", output.status);
            // An application and a pool that are not there say what those say that are not for this caller.
            if denied {
                let elsewhere: Vec<&str> =
                    call.iter().map(|part| if *part == "cells" { "nowhere" } else { *part }).collect();
                let other =
                    service.cli(&[&["--profile", profile.as_str(), "application"][..], &elsewhere].concat());
                assert_eq!(other.status.code(), Some(4), "{role}: {call:?}");
            }
            cells += 1;
        }
    }
    println!("report: {cells} pairs of role and application command were tried");
}
