//! Auditors read with a purpose, are recorded themselves, and can prove what they read; whoever holds a receipt can prove that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use likeness_proto::v1::*;
use likeness_server::audit::{
    Checkpoint, Consistency, Inclusion, Outcome,
    bundle::verify_bundle,
    proof::{consistency_holds, inclusion_holds},
};
use likeness_tests::{
    auditing::{audit_context, auditing, enrol, key, recorded, search, size},
    client::{Token, bare_token, channel, context, token, token_for},
    faces,
    service::Service,
};
use prost::Message as _;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_needs_a_purpose_sees_what_was_shown_and_is_seen() {
    let service = Service::start();
    let channel = channel(&service).await;
    for pool in ["cells", "more"] {
        service.ok(&["pool", "create", pool, "--kind", "custody"]);
    }
    let mut enrolment = enrolment_service_client::EnrolmentServiceClient::with_interceptor(
        channel.clone(),
        token(&service.data()),
    );
    enrolment.enrol(enrol(7, "cells")).await.unwrap();
    let searcher = token_for(&service, "officer-1", "force-1", &["searcher"]);
    let mut searching =
        search_service_client::SearchServiceClient::with_interceptor(channel.clone(), searcher.clone());
    let one = searching.search(search(&["cells"])).await.unwrap().into_inner();
    let two = searching.search(search(&["cells", "more"])).await.unwrap().into_inner();

    let national = |person: &str| token_for(&service, person, "oversight", &["national_auditor"]);
    let mut audit = auditing(channel.clone(), national("auditor-1"));
    let query = |filter: EntryFilter| QueryEntriesRequest {
        context: audit_context(),
        filter: Some(filter),
        ..QueryEntriesRequest::default()
    };
    let by_person = EntryFilter { person: "officer-1".into(), ..EntryFilter::default() };

    // Without one of the four purposes, or the role: refused and recorded.
    for (token, purpose, code) in [
        (national("auditor-1"), "criminal_investigation", Code::PermissionDenied),
        (national("auditor-1"), "system_administration", Code::PermissionDenied),
        (national("auditor-1"), "", Code::InvalidArgument),
        (searcher.clone(), "verify_lawfulness", Code::PermissionDenied),
        (Token(None), "verify_lawfulness", Code::Unauthenticated),
    ] {
        let before = size(&service);
        let mut request = query(by_person.clone());
        request.context = Some(context(purpose, "AUDIT-2"));
        let status = auditing(channel.clone(), token).query_entries(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{purpose}");
        // Besides the service's own observation that the tests registered another organisation.
        let mut entries = recorded(&service, before);
        entries.retain(|entry| entry.rpc != "likeness/registry");
        assert_eq!(entries.len(), 1);
        assert_ne!(entries[0].outcome, Some(Outcome::Answered), "{purpose}");
    }

    // By person: both searches, the single pool's event and the three of the combined one.
    let found = audit.query_entries(query(by_person.clone())).await.unwrap().into_inner();
    let searches = |found: &QueryEntriesResponse| {
        let of = |entry: &&AuditEntry| String::from_utf8_lossy(&entry.body).contains("SearchService/Search");
        found.entries.iter().filter(of).count()
    };
    assert_eq!(searches(&found), 4);
    // By subject, image, system, purpose, pool, operation, time: the same searches as far as they were in them.
    let shown = &one.candidates[0];
    let base = EntryFilter { rpc: "likeness.v1.SearchService/Search".into(), ..EntryFilter::default() };
    for (filter, expected) in [
        (EntryFilter { subject_id: shown.subject_id.clone(), ..base.clone() }, 2),
        (EntryFilter { image_id: shown.image_id.clone(), ..base.clone() }, 2),
        (EntryFilter { system_name: "likeness-cli".into(), ..base.clone() }, 4),
        (EntryFilter { system_name: "another".into(), ..base.clone() }, 0),
        (EntryFilter { purpose_code: "criminal_investigation".into(), ..base.clone() }, 4),
        (EntryFilter { pool: "more".into(), ..base.clone() }, 1),
        (EntryFilter { operation: "combination".into(), ..base.clone() }, 1),
        (EntryFilter { outcome: "denied".into(), ..base.clone() }, 0),
        (EntryFilter { until: "2020-01-01T00:00:00Z".into(), ..base.clone() }, 0),
        (EntryFilter { from: "2020-01-01T00:00:00Z".into(), ..base.clone() }, 4),
        (EntryFilter { probe_sha256: sha256(&faces::plain(7, 1)), ..base.clone() }, 4),
        (EntryFilter { probe_sha256: sha256(&faces::plain(2, 1)), ..base.clone() }, 0),
    ] {
        let found = audit.query_entries(query(filter.clone())).await.unwrap().into_inner();
        assert_eq!(found.entries.len(), expected, "{filter:?}");
    }

    // A force's auditor reads about their force only; nobody reads about themselves; another auditor reads about the auditor.
    let of_force = |force: &str| auditing(channel.clone(), token_for(&service, "a-9", force, &["auditor"]));
    assert_eq!(
        of_force("force-1").query_entries(query(base.clone())).await.unwrap().into_inner().entries.len(),
        4
    );
    assert_eq!(
        of_force("force-2").query_entries(query(base.clone())).await.unwrap().into_inner().entries.len(),
        0
    );
    let myself = EntryFilter { person: "auditor-1".into(), ..EntryFilter::default() };
    let own = audit.query_entries(query(myself.clone())).await.unwrap().into_inner();
    assert_eq!(own.entries.len(), 0);
    assert!(own.withheld_own > 10, "{}", own.withheld_own);
    let mut other = auditing(channel.clone(), national("auditor-2"));
    let seen = other.query_entries(query(myself)).await.unwrap().into_inner();
    assert!(seen.entries.len() as u64 > own.withheld_own, "reading the log is in the log");

    // The exact bytes that were sent, receipt included.
    for (receipt, sent) in [(&one.receipt, one.encode_to_vec()), (&two.receipt, two.encode_to_vec())] {
        let event_id = receipt.as_ref().unwrap().event_id.clone();
        let request = ReplayRequest { context: audit_context(), event_id, with_probe: true };
        let replayed = audit.replay(request).await.unwrap().into_inner();
        assert_eq!(replayed.response_type, "likeness.v1.SearchResponse");
        assert!(replayed.response == sent, "the replay differs from what was sent");
        assert!(replayed.probe == faces::plain(7, 1));
    }
    let event_id = own.receipt.unwrap().event_id;
    let request = ReplayRequest { context: audit_context(), event_id, with_probe: false };
    assert_eq!(
        audit.replay(request).await.unwrap_err().code(),
        Code::NotFound,
        "not even a replay of oneself"
    );
}

fn sha256(bytes: &[u8]) -> bytes::Bytes {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).to_vec().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_can_be_proved_and_an_export_verified_by_anybody() {
    let service = Service::start();
    let channel = channel(&service).await;
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut first: Option<Receipt> = None;
    let mut searching = search_service_client::SearchServiceClient::with_interceptor(
        channel.clone(),
        token_for(&service, "officer-1", "force-1", &["searcher"]),
    );
    for _ in 0..9 {
        let answer = searching.search(search(&["cells"])).await.unwrap().into_inner();
        first = first.or(answer.receipt);
    }
    let receipt = first.unwrap();
    let key = key(&service);

    // Whoever holds a receipt may check it: the searcher, without any right to read the log.
    let mut audit = auditing(channel.clone(), token_for(&service, "officer-1", "force-1", &["searcher"]));
    let entry = Some(get_inclusion_proof_request::Entry::EventId(receipt.event_id.clone()));
    for tree_size in [0, receipt.tree_size] {
        let request = GetInclusionProofRequest { context: audit_context(), entry: entry.clone(), tree_size };
        let proved = audit.get_inclusion_proof(request).await.unwrap().into_inner();
        let head = Checkpoint::open(&proved.checkpoint, &key).unwrap();
        let proof = Inclusion {
            index: receipt.entry_index,
            size: head.size,
            leaf: receipt.entry_hash.as_ref().try_into().unwrap(),
            root: head.root,
            path: proved.path.iter().map(|hash| hash.as_ref().try_into().unwrap()).collect(),
        };
        assert!(inclusion_holds(&proof));
    }
    let request = GetConsistencyProofRequest {
        context: audit_context(),
        first_size: receipt.tree_size,
        second_size: 0,
    };
    let proved = audit.get_consistency_proof(request).await.unwrap().into_inner();
    let (earlier, later) = (
        Checkpoint::open(&receipt.checkpoint, &key).unwrap(),
        Checkpoint::open(&proved.second_checkpoint, &key).unwrap(),
    );
    assert!(consistency_holds(&Consistency {
        first: earlier.size,
        second: later.size,
        first_root: earlier.root,
        second_root: later.root,
        path: proved.path.iter().map(|hash| hash.as_ref().try_into().unwrap()).collect(),
    }));
    let entry = Some(get_inclusion_proof_request::Entry::EntryIndex(1 << 40));
    let request = GetInclusionProofRequest { context: audit_context(), entry, tree_size: 0 };
    assert_eq!(audit.get_inclusion_proof(request).await.unwrap_err().code(), Code::InvalidArgument);

    // Through the command line, as an auditor with a profile of their own.
    let profile = fs::read_to_string(service.data().join("profile.toml")).unwrap();
    let old = profile.lines().find(|line| line.starts_with("token")).unwrap();
    let token = bare_token(&service, "auditor-1", "oversight", &["national_auditor"]);
    let mine = service.data().join("auditor.toml");
    fs::write(&mine, profile.replace(old, &format!("token = \"{token}\""))).unwrap();
    fs::set_permissions(&mine, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mine = mine.to_str().unwrap();
    let why = ["--purpose", "verify_lawfulness", "--justification", "the yearly review", "--profile", mine];
    let run = |arguments: &[&str]| service.ok(&[arguments, &why].concat());
    let bundle = service.scratch().join("bundle");
    let to = bundle.to_str().unwrap();
    run(&["audit", "export", to, "--recipient", "the Commissioner", "--recipient-organisation", "ICO"]);
    let proved = run(&["audit", "prove", &receipt.event_id]);
    assert!(proved.contains("hashes checked"), "{proved}");
    assert!(run(&["audit", "show", "--last", "5"]).contains("officer-1"));
    assert!(run(&["audit", "query", "--person", "officer-1", "--json"]).contains("SearchService/Search"));
    let replayed = service.scratch().join("replayed");
    run(&["audit", "replay", &receipt.event_id, "-o", replayed.to_str().unwrap()]);
    let replayed = SearchResponse::decode(&*fs::read(replayed).unwrap()).unwrap();
    assert_eq!(replayed.receipt.unwrap(), receipt);

    // Verified with the key alone, and against the receipt that was kept; then changed.
    let public = service.scratch().join("audit.pub");
    fs::write(&public, service.ok(&["audit", "export-key"])).unwrap();
    let kept = service.scratch().join("kept");
    fs::write(&kept, &receipt.checkpoint).unwrap();
    let (public, kept) = (public.to_str().unwrap(), kept.to_str().unwrap());
    let verify = ["audit", "verify", "--bundle", to, "--key", public, "--checkpoint", kept];
    assert!(service.ok(&verify).contains("is what was signed"));
    let report = verify_bundle(&bundle, &key, &[]);
    let last = fs::read_to_string(bundle.join("entries.jsonl")).unwrap();
    assert!(last.lines().last().unwrap().contains("\"recipient\""), "the export itself is in it");
    assert_eq!(report.entries, last.lines().count() as u64);
    let path = bundle.join("entries.jsonl");
    fs::write(&path, last.replacen("officer-1", "officer-2", 1)).unwrap();
    let output = service.cli(&verify);
    assert_eq!(output.status.code(), Some(6));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("entry {}: its bytes", receipt.entry_index)), "{said}");
}
