//! Protected views (R21): for whoever may not see them, a pool with a protected person in it is a pool without that person.
//! The check is by comparison with a pool in which the person never was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use likeness_proto::v1::*;
use likeness_tests::{
    auditing::{audit_context, auditing, recorded, search},
    client::{Token, channel, context, token_for},
    faces,
    hidden::{HIDDEN, OTHERS, Scene, mark},
    log::entries,
};
use tonic::Status;

/// A search answer without what differs between any two pools: names, ids, times, receipts.
fn shape(mut answer: SearchResponse) -> SearchResponse {
    for candidate in &mut answer.candidates {
        candidate.pool.clear();
        candidate.subject_id.clear();
        candidate.image_id.clear();
    }
    for pool in &mut answer.pools {
        pool.pool.clear();
    }
    answer.receipt = None;
    answer
}

/// What a refusal says, and how long it is, without its receipt.
fn refusal(status: &Status) -> (tonic::Code, String, Vec<u8>, usize) {
    let told = status.metadata().get_bin("likeness-refusal-bin").map(|value| value.to_bytes().unwrap());
    (
        status.code(),
        status.message().to_owned(),
        told.map(|bytes| bytes.to_vec()).unwrap_or_default(),
        status.details().len(),
    )
}

/// Two ids that were never given to anything.
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_tells_a_suppressed_subject_from_one_that_never_was() {
    let scene = Scene::new(ProtectedView::ExistenceSuppressed).await;
    let (me, subject, image) = (&scene.searcher, scene.subject.clone(), scene.image.clone());
    // Searches of every length: filled up from the next, the same sizes, the same meaning, the same bytes but for names.
    for length in [1, 2, 3, 4, 5, 50] {
        let hides = shape(scene.search(me, "hides", length).await);
        let lacks = shape(scene.search(me, "lacks", length).await);
        assert_eq!(hides, lacks, "lists of {length}");
        assert_eq!(hides.candidates.len(), OTHERS.len().min(length as usize));
        assert_eq!(hides.pools[0].gallery_size, OTHERS.len() as u64);
    }
    // The two receipts of a search are as far apart as they would be without it: one entry, one commit.
    let (first, second) = (scene.search(me, "hides", 3).await, scene.search(me, "hides", 3).await);
    let index = |answer: &SearchResponse| answer.receipt.as_ref().unwrap().entry_index;
    assert_eq!(index(&second), index(&first) + 1);

    // Every way of asking for the person or the picture.
    let pairs = [
        (
            scene.subject(me, "hides", &subject).await.unwrap_err(),
            scene.subject(me, "lacks", NOBODY).await.unwrap_err(),
        ),
        (
            scene.by_reference(me, "hides").await.unwrap_err(),
            scene.by_reference(me, "lacks").await.unwrap_err(),
        ),
        (
            scene.image(me, "hides", &image).await.unwrap_err(),
            scene.image(me, "lacks", NOBODY).await.unwrap_err(),
        ),
        (
            scene.take_out(me, "hides", &image).await.unwrap_err(),
            scene.take_out(me, "lacks", NOBODY).await.unwrap_err(),
        ),
        (
            scene.collect(me, "hides", &subject).await.unwrap_err(),
            scene.collect(me, "lacks", NOBODY).await.unwrap_err(),
        ),
    ];
    for (hidden, absent) in &pairs {
        assert_eq!(hidden.code(), tonic::Code::NotFound);
        let (left, right) = (refusal(hidden), refusal(absent));
        assert_eq!((left.0, &left.1, &left.2), (right.0, &right.1, &right.2));
        assert!(!left.2.is_empty(), "the refusal says nothing: this compares nothing");
    }

    // Counts, for whoever runs the service and whoever keeps the records.
    let mut listing = pool_service_client::PoolServiceClient::with_interceptor(
        scene.channel.clone(),
        scene.enroller.clone(),
    );
    for purpose in ["system_administration", "record_management"] {
        let request = ListPoolsRequest { context: Some(context(purpose, "POOL-1")) };
        let pools = listing.list_pools(request).await.unwrap().into_inner().pools;
        let counts: Vec<_> =
            pools.iter().map(|pool| (pool.subjects, pool.images_held, pool.images_enrolled)).collect();
        assert_eq!(counts, [(4, 4, 4), (4, 4, 4)], "{purpose}");
    }
    let status = scene.service.json(&["pool", "migrate", "hides", "status", "--json"]);
    let other = scene.service.json(&["pool", "migrate", "lacks", "status", "--json"]);
    let counted = |status: &serde_json::Value| {
        let mut status = status.clone();
        status.as_object_mut().unwrap().remove("receipt");
        status["migration"].as_object_mut().unwrap().remove("pool");
        status
    };
    assert_eq!(counted(&status), counted(&other));
    println!(
        "report: a suppressed subject against one that never was: 6 list lengths, {} refusals, all the same",
        pairs.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_holders_see_it_and_the_log_knows() {
    let scene = Scene::new(ProtectedView::ExistenceSuppressed).await;
    let service = &scene.service;
    let before = recorded(service, 0).len() as u64;
    scene.search(&scene.searcher, "hides", 3).await;
    scene.search(&scene.searcher, "lacks", 3).await;
    scene.subject(&scene.searcher, "hides", &scene.subject).await.unwrap_err();
    let log = recorded(service, before);
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].withheld.len(), 1);
    assert_eq!(log[0].withheld[0].subject_id.to_string(), scene.subject);
    assert_eq!(log[0].withheld[0].owner, "Witness Care Unit");
    assert!(log[0].candidates.iter().all(|shown| shown.subject_id.to_string() != scene.subject));
    assert!(log[1].withheld.is_empty());
    assert_eq!((log[2].refusal.as_deref(), log[2].withheld.len()), (Some("protected_view"), 1));

    // A security event for the unit that answers for the record: no subject, no picture, no similarity.
    let file = service.data().join("events.jsonl");
    let mut alerts = Vec::new();
    for _ in 0..100 {
        let text = fs::read_to_string(&file).unwrap_or_default();
        alerts = text.lines().filter(|line| line.contains("\"protected_view\"")).map(str::to_owned).collect();
        alerts.retain(|line| line.contains("\"anomaly\""));
        if alerts.len() >= 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    for line in &alerts {
        assert!(line.contains("Witness Care Unit") && line.contains("officer-1"), "{line}");
        assert!(
            !line.contains(&scene.subject) && !line.contains(&scene.image) && !line.contains("similarity")
        );
        assert!(!line.contains("moved in October"));
    }

    // Holders of the right see the record and its mark, and that they did is recorded.
    let seen = scene.search(&scene.holder, "hides", 3).await;
    let first = &seen.candidates[0];
    assert_eq!(first.subject_reference, format!("p{HIDDEN}"));
    assert_eq!(first.protection.as_ref().unwrap().owner, "Witness Care Unit");
    assert_eq!(seen.pools[0].gallery_size, 5);
    let held = scene.subject(&scene.holder, "hides", &scene.subject).await.unwrap();
    assert_eq!(held.protection.unwrap().review_due, "2028-01-01");
    scene.image(&scene.holder, "hides", &scene.image).await.unwrap();
    scene.collect(&scene.holder, "hides", &scene.subject).await.unwrap();
    let last = entries(service).pop().unwrap();
    assert_eq!(last["notes"]["sees_protected"], "true");

    // An auditor finds who met the record, among everything else about the subject.
    let mut audit =
        auditing(scene.channel.clone(), token_for(service, "auditor-1", "oversight", &["national_auditor"]));
    let request = QueryEntriesRequest {
        context: audit_context(),
        filter: Some(EntryFilter {
            subject_id: scene.subject.clone(),
            person: "officer-1".into(),
            ..EntryFilter::default()
        }),
        ..QueryEntriesRequest::default()
    };
    let found = audit.query_entries(request).await.unwrap().into_inner().entries;
    assert_eq!(found.len(), 2);

    // Setting the mark was an alteration with before and after; its reason is not in the log.
    let all = entries(service);
    let set = all
        .iter()
        .rfind(|entry| entry["rpc"] == "likeness.v1.ProtectionService/Protect" && entry["phase"] == "outcome")
        .unwrap();
    assert_eq!(set["operation"], "alteration");
    assert_eq!(set["changes"]["protected_view"]["after"], "existence_suppressed");
    assert!(set["changes"]["protected_view"]["before"].is_null());
    assert!(all.iter().all(|entry| !entry.to_string().contains("moved in October")));
    service.ok(&["audit", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_owner_says_whom_to_ask_and_nothing_else() {
    let scene = Scene::new(ProtectedView::ContactOwner).await;
    let me = &scene.searcher;
    let told = scene.search(me, "hides", 3).await;
    assert_eq!(told.pools[0].contact_owners, ["Witness Care Unit"]);
    let mut hides = shape(told);
    hides.pools[0].contact_owners.clear();
    assert_eq!(hides, shape(scene.search(me, "lacks", 3).await), "nothing but the flag");
    // Where the record would not have been in the list, there is nothing to say: here the probe is somebody else.
    let mut client =
        search_service_client::SearchServiceClient::with_interceptor(scene.channel.clone(), me.clone());
    let request =
        SearchRequest { probe: faces::plain(1, 0).into(), candidate_list_length: 1, ..search(&["hides"]) };
    assert!(client.search(request).await.unwrap().into_inner().pools[0].contact_owners.is_empty());
    let refused = scene.by_reference(me, "hides").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
    assert!(refused.message().contains("Witness Care Unit"), "{}", refused.message());
    assert!(!refused.message().contains(&scene.subject) && !refused.message().contains("October"));
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_kept_by_holders_only_reviewed_and_lifted() {
    let mut scene = Scene::new(ProtectedView::ExistenceSuppressed).await;
    // Nobody else can set, lift or list: neither for a subject that is there nor for one that is not.
    let profile = |scene: &Scene, token: &Token| {
        let bearer = token.0.as_ref().unwrap().to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        let text = fs::read_to_string(scene.service.data().join("profile.toml")).unwrap();
        let old = text.lines().find(|line| line.starts_with("token")).unwrap();
        let path = scene.service.data().join("other.toml");
        fs::write(&path, text.replace(old, &format!("token = \"{bearer}\""))).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mine = profile(&scene, &scene.searcher.clone());
    for arguments in [
        vec!["protect", "list", "--pool", "hides"],
        vec!["protect", "lift", "p7", "--pool", "hides"],
        vec!["protect", "lift", "p99", "--pool", "lacks"],
    ] {
        let ended = scene.service.cli(&[&arguments[..], &["--profile", &mine]].concat());
        assert_eq!(ended.status.code(), Some(4), "{arguments:?}");
    }
    // A date that is over, a missing owner: refused, and named.
    let late = mark(ProtectedView::ContactOwner).map(|mark| Protection {
        review_due: "2020-01-01".into(),
        owner: String::new(),
        ..mark
    });
    let refused = scene.put(late).await.unwrap_err();
    assert!(refused.message().contains("owner") && refused.message().contains("review_due"), "{refused:?}");

    // The command line, as a holder; the mark survives a restart.
    let holder = profile(&scene, &scene.holder.clone());
    let listed = scene.service.json(&["protect", "list", "--pool", "hides", "--json", "--profile", &holder]);
    assert_eq!(listed["subjects"][0]["subject"], "p7");
    assert_eq!(listed["subjects"][0]["protection"]["view"], "existence_suppressed");
    assert_eq!(listed["subjects"][0]["review_overdue"], false);
    scene.service.stop();
    scene.service.serve();
    scene.channel = channel(&scene.service).await;
    let me = scene.searcher.clone();
    assert_eq!(scene.search(&me, "hides", 9).await.candidates.len(), OTHERS.len());
    let set = ["protect", "set", "p7", "--pool", "hides", "--view", "contact_owner", "--owner", "Unit 9"];
    let rest = ["--reason", "handed over to unit 9", "--review-due", "2027-06-01", "--ends-on", "2027-12-31"];
    let changed = scene.service.ok(&[&set[..], &rest, &["--profile", &holder]].concat());
    assert!(changed.contains("contact_owner") && changed.contains("Unit 9"), "{changed}");
    assert_eq!(scene.search(&me, "hides", 3).await.pools[0].contact_owners, ["Unit 9"]);
    let lifted = scene.service.ok(&["protect", "lift", "p7", "--pool", "hides", "--profile", &holder]);
    assert!(lifted.contains("no protected view"), "{lifted}");
    assert_eq!(scene.search(&me, "hides", 9).await.candidates.len(), OTHERS.len() + 1);
}
