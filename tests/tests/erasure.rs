//! Nothing of an erased person is left in any file, wherever the erasure was cut off: enrolled, searched for, read, replayed and
//! backed up, then erased with `kill -9` after each of its steps in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use likeness_proto::v1::{
    EraseSubjectRequest, GetCertificateRequest, GetImageRequest, GetSubjectRequest, RecordState,
    ReplayRequest, SearchRequest, SearchResponse, SubjectDetails,
    enrolment_service_client::EnrolmentServiceClient, erase_subject_request, get_subject_request::Subject,
    image_service_client::ImageServiceClient, retention_service_client::RetentionServiceClient,
    search_service_client::SearchServiceClient, subject_service_client::SubjectServiceClient,
};
use likeness_server::{
    clock::SystemClock,
    data::DataDir,
    ids::SubjectId,
    keys::{FileKeyStore, KeyState, KeyStates as _, KeyStore as _, PoolName, verify_statement},
    service::{
        Asked, ContextFields, EraseRequest, ErasureStep, Opening, Peer, Rendered, Service as Server,
        SubjectChoice,
    },
};
use likeness_tests::{
    applying, auditing,
    client::{channel, context, source, token},
    faces,
    scan::{Needle, copy, files, found},
    service::Service,
};
use rusqlite::Connection;

const POOL: &str = "cells";
/// The canary, and somebody who must not be touched.
const CANARY: u32 = 7;
const OTHER: u32 = 11;
const REFERENCE: &str = "CANARY-REFERENCE-3f9d";
const NAME: &str = "Canary Q. Nobody-91c4";
/// Set for the process that erases: the data folder, the step after which it waits to be killed, and the subject.
const CHILD: &str = "LIKENESS_TEST_ERASURE_CHILD";

/// Not a test of its own: what the other process runs.
#[test]
#[ignore = "run by the tests below, in a process of its own"]
fn child() {
    let Ok(given) = std::env::var(CHILD) else { return };
    let [data, step, subject] = given.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let server = Server::open(&DataDir::at(data), Arc::new(SystemClock), Opening::Serve).unwrap();
    let wanted = step.to_owned();
    server.observe_erasures(Box::new(move |step: ErasureStep| {
        if format!("{step:?}") == wanted {
            println!("reached {step:?}");
            std::io::stdout().flush().unwrap();
            loop {
                std::thread::park();
            }
        }
    }));
    let profile = fs::read_to_string(Path::new(data).join("profile.toml")).unwrap();
    let line = profile.lines().find(|line| line.starts_with("token")).unwrap();
    let asked = Asked {
        peer: Peer::Local,
        rpc: "likeness.v1.RetentionService/EraseSubject",
        token: line.split('"').nth(1).map(ToOwned::to_owned),
        context: ContextFields {
            system_name: "likeness-cli".into(),
            reference_id: "ERASE-1".into(),
            purpose_code: "record_management".into(),
            justification: "the person's right to erasure".into(),
        },
        deadline: Instant::now() + Duration::from_secs(60),
        request: Vec::new(),
    };
    let request = EraseRequest {
        pool: POOL.into(),
        subject: SubjectChoice::Id(subject.into()),
        reason: "right_to_erasure".into(),
        at_once: true,
    };
    let done = server.erase_subject(asked, &request, |_| Rendered { message: (), bytes: Vec::new() });
    println!("finished {}", done.is_ok());
}

/// Runs the erasure in a process of its own and kills it after `step`.
fn erase_until(service: &Service, step: ErasureStep, subject: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{}\n{step:?}\n{subject}", service.data().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reached =
        lines.map_while(Result::ok).find(|line| line.contains("reached") || line.contains("finished"));
    assert!(reached.as_deref().is_some_and(|line| line.contains("reached")), "{step:?}: {reached:?}");
    // SIGKILL: nothing of the process runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The pieces of a long secret that are looked for: its middle, so that no header makes them common.
fn window(bytes: &[u8]) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle..(middle + 24).min(bytes.len())].to_vec()
}

/// What must be gone: the canary in the clear, and everything sealed of it as it lies in the stores now.
fn needles(data: &Path, subject: SubjectId) -> (Vec<Needle>, Vec<Vec<u8>>) {
    let (image, template, chip) = clear();
    let mut needles = vec![
        Needle { what: "the image", bytes: window(&image) },
        Needle { what: "the crop", bytes: window(&chip) },
        Needle { what: "the name", bytes: NAME.into() },
        Needle { what: "the grounds of an application", bytes: applying::GROUNDS.into() },
        Needle { what: "the subject reference", bytes: REFERENCE.into() },
        Needle { what: "the image reference", bytes: format!("{REFERENCE}/0").into() },
    ];
    let f32s: Vec<u8> = template.iter().flat_map(|value| value.to_le_bytes()).collect();
    let f16s: Vec<u8> = template.iter().flat_map(|value| half(*value).to_le_bytes()).collect();
    let largest = template.iter().fold(0f32, |most, value| most.max(value.abs()));
    let i8s: Vec<u8> = template
        .iter()
        .map(|value| (value / largest * 127.0).round().clamp(-127.0, 127.0) as i8)
        .map(i8::cast_unsigned)
        .collect();
    for (what, bytes) in [("the template, f32", f32s), ("the template, f16", f16s), ("the template, i8", i8s)]
    {
        needles.push(Needle { what, bytes: window(&bytes) });
    }
    let mut sealed_images = Vec::new();
    let records = Connection::open(data.join("pools").join(POOL).join("records.sqlite")).unwrap();
    let row: i64 = records
        .query_row("SELECT row FROM subject WHERE id = ?1", [subject.as_bytes()], |row| row.get(0))
        .unwrap();
    let details: Vec<u8> =
        records.query_row("SELECT details FROM subject WHERE row = ?1", [row], |row| row.get(0)).unwrap();
    needles.push(Needle { what: "the sealed details", bytes: window(&details) });
    needles.push(Needle { what: "the sealed application", bytes: window(&applying::sealed(data, POOL)) });
    let mut images = records.prepare("SELECT id, record, template FROM image WHERE subject = ?1").unwrap();
    let images = images
        .query_map([row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<Vec<([u8; 16], Vec<u8>, Vec<u8>)>, _>>()
        .unwrap();
    for (id, record, template) in images {
        let id = likeness_server::ids::ImageId::from_bytes(id).to_string();
        let blob = files(&data.join("pools").join(POOL).join("blobs"))
            .into_iter()
            .find(|path| path.file_name().unwrap().to_str() == Some(id.as_str()))
            .unwrap();
        let blob = fs::read(blob).unwrap();
        needles.push(Needle { what: "the sealed image", bytes: window(&blob) });
        needles.push(Needle { what: "the sealed image record", bytes: window(&record) });
        needles.push(Needle { what: "the sealed template", bytes: window(&template) });
        sealed_images.push(blob);
    }
    let keys = Connection::open(data.join("keys/pools").join(format!("{POOL}.sqlite"))).unwrap();
    let wrapped: Vec<u8> = keys
        .query_row("SELECT wrapped FROM subject_key WHERE subject = ?1", [subject.as_bytes()], |row| {
            row.get(0)
        })
        .unwrap();
    needles.push(Needle { what: "the wrapped key", bytes: window(&wrapped) });
    (needles, sealed_images)
}

/// Image, template and aligned crop of the canary, as the service works them out.
fn clear() -> (Vec<u8>, Vec<f32>, Vec<u8>) {
    use likeness_matcher::{
        decode::{Limits, decode},
        pipeline::{Matcher, MatcherOptions},
        quality::QualityPolicy,
        select::Selection,
    };
    let image = faces::plain(CANARY, 0);
    let home = likeness_models::Home::locate().unwrap();
    let pack = likeness_models::Pack::open(&home, "face-api").unwrap();
    let options =
        MatcherOptions { sessions: 1, queue: 1, limits: Limits::default(), wait: Duration::from_secs(60) };
    let matcher = Matcher::open(&pack, &home.runtime_library().unwrap(), &options).unwrap();
    let analysed = matcher.analyse(&image, &Selection::Only, &QualityPolicy::default()).unwrap();
    // The crop is cut from these pixels; a run of them is looked for, whatever it was resampled to.
    let (decoded, _) = decode(&image, &Limits::default()).unwrap();
    (image, analysed.embedding.values().to_vec(), decoded.pixels().to_vec())
}

/// IEEE 754 half precision, by cutting: enough to look for.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let exponent = ((bits >> 23) & 0xff).cast_signed() - 127 + 15;
    let sign = ((bits >> 16) & 0x8000) as u16;
    if exponent <= 0 {
        sign
    } else {
        sign | ((exponent.cast_unsigned() as u16) << 10) | ((bits >> 13) & 0x3ff) as u16
    }
}

fn search() -> SearchRequest {
    SearchRequest {
        context: Some(context("criminal_investigation", "CANARY-SEARCH")),
        probe: faces::plain(CANARY, 0).into(),
        source: Some(source()),
        pools: vec![POOL.into()],
        candidate_list_length: 5,
        ..SearchRequest::default()
    }
}

/// A list of a search, without one subject: image, reference, similarity.
type Others = Vec<(String, String, String)>;

fn others(answer: &SearchResponse, without: &str) -> Others {
    let listed = answer.candidates.iter().filter(|candidate| candidate.subject_id != without);
    listed
        .map(|one| (one.image_id.clone(), one.source_reference.clone(), format!("{:.6}", one.similarity)))
        .collect()
}

/// Enrols the canary and others; searches, reads, replays: everything that leaves a trace. Gives the canary's id, and who else is
/// listed for its image.
async fn live(service: &Service) -> (String, Others) {
    service.ok(&["pool", "create", POOL, "--kind", "custody"]);
    let (channel, token) = (channel(service).await, token(&service.data()));
    let mut enrolling = EnrolmentServiceClient::with_interceptor(channel.clone(), token.clone());
    let mut id = String::new();
    for (person, capture) in [(CANARY, 0), (CANARY, 1), (OTHER, 0), (3, 0)] {
        let mut request = auditing::enrol(person, POOL);
        request.image = faces::plain(person, capture).into();
        request.source_reference = format!("p{person}/{capture}");
        if person == CANARY {
            request.subject_reference = REFERENCE.into();
            request.source_reference = format!("{REFERENCE}/{capture}");
            request.details = Some(SubjectDetails { display_name: NAME.into(), ..SubjectDetails::default() });
        }
        let answer = enrolling.enrol(request).await.unwrap().into_inner();
        if person == CANARY {
            id = answer.subject_id;
        }
    }
    let mut searching = SearchServiceClient::with_interceptor(channel.clone(), token.clone());
    let answer = searching.search(search()).await.unwrap().into_inner();
    assert_eq!(answer.candidates[0].subject_id, id);
    let rest = others(&answer, &id);
    let image = answer.candidates[0].image_id.clone();
    let event = answer.receipt.unwrap().event_id;
    let mut subjects = SubjectServiceClient::with_interceptor(channel.clone(), token.clone());
    subjects.get_subject(get_subject(&id)).await.unwrap();
    let mut images = ImageServiceClient::with_interceptor(channel.clone(), token.clone());
    let request = GetImageRequest {
        context: Some(context("criminal_investigation", "CANARY-IMAGE")),
        pool: POOL.into(),
        image_id: image,
    };
    images.get_image(request).await.unwrap();
    applying::receive(&channel, &token, POOL, &id).await;
    // An auditor's replay holds what was shown a second time. Nobody audits themselves.
    let auditor = likeness_tests::client::token_for(service, "auditor-1", "local", &["auditor"]);
    let mut auditors = auditing::auditing(channel, auditor);
    auditors
        .replay(ReplayRequest {
            context: auditing::audit_context(),
            event_id: event,
            ..ReplayRequest::default()
        })
        .await
        .unwrap();
    (id, rest)
}

fn get_subject(id: &str) -> GetSubjectRequest {
    GetSubjectRequest {
        context: Some(context("criminal_investigation", "CANARY-SUBJECT")),
        pool: POOL.into(),
        subject: Some(Subject::SubjectId(id.into())),
    }
}

/// The erased are nowhere, the others as they were; the certificate and the log verify.
async fn check_gone(service: &Service, id: &str, rest: &Others, step: &str) {
    let (channel, token) = (channel(service).await, token(&service.data()));
    let mut searching = SearchServiceClient::with_interceptor(channel.clone(), token.clone());
    let answer = searching.search(search()).await.unwrap().into_inner();
    // None is left out but the erased one, who is not there.
    assert_eq!(&others(&answer, ""), rest, "{step}");
    let mut subjects = SubjectServiceClient::with_interceptor(channel.clone(), token.clone());
    let refused = subjects.get_subject(get_subject(id)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound, "{step}: {refused}");
    let mut retention = RetentionServiceClient::with_interceptor(channel, token);
    let request = GetCertificateRequest {
        context: Some(context("record_management", "CERTIFICATE")),
        pool: POOL.into(),
        id: id.into(),
    };
    let answer = retention.get_certificate(request).await.unwrap().into_inner();
    let text = verify_statement(&answer.certificate, &auditing::key(service)).unwrap();
    let certificate: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(certificate["subject_id"], id, "{step}");
    assert_eq!(certificate["reason"], "right_to_erasure");
    let destroyed: Vec<(&str, u64)> = certificate["destroyed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["store"].as_str().unwrap(), one["count"].as_u64().unwrap()))
        .collect();
    // Two enrolments, one search, one reading of the subject and one of the image, one application, one replay.
    let wanted = [("subject_key", 1), ("index", 2), ("audit_content", 7), ("image_files", 2), ("records", 3)];
    assert_eq!(destroyed, wanted, "{step}");
    assert!(!answer.certificate.contains(NAME) && !answer.certificate.contains(REFERENCE));
    service.ok(&["audit", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_wherever_an_erasure_is_cut_off() {
    let mut service = Service::start();
    let (id, rest) = live(&service).await;
    assert_eq!(rest.len(), 2);
    service.stop();
    let data = service.data();
    let backup = service.scratch().join("backup");
    service.ok(&["backup", "--to", backup.to_str().unwrap()]);
    let before = service.scratch().join("before");
    copy(&data, &before, true);
    let subject: SubjectId = id.parse().unwrap();
    let (needles, sealed) = needles(&data, subject);
    // The sealed ones are there now; those in the clear never are.
    let there = found(&data, &needles);
    assert!(there.iter().all(|found| found.contains("sealed") || found.contains("wrapped")), "{there:?}");
    assert_eq!(
        there.len(),
        needles.iter().filter(|n| n.what.contains("sealed") || n.what.contains("wrapped")).count()
    );

    for step in ErasureStep::ALL {
        copy(&before, &data, true);
        erase_until(&service, step, &id);
        service.serve();
        if step == ErasureStep::Announced {
            // Nothing had begun: it is as if it had not been asked for. Asked for again, it is carried out.
            let (channel, token) = (channel(&service).await, token(&service.data()));
            let mut retention = RetentionServiceClient::with_interceptor(channel, token);
            let request = EraseSubjectRequest {
                context: Some(context("record_management", "ERASE-2")),
                pool: POOL.into(),
                reason: "right_to_erasure".into(),
                at_once: true,
                subject: Some(erase_subject_request::Subject::SubjectId(id.clone())),
            };
            let answer = retention.erase_subject(request).await.unwrap().into_inner();
            assert_eq!(answer.state(), RecordState::Erased);
        }
        check_gone(&service, &id, &rest, &format!("{step:?}")).await;
        service.stop();
        let left = found(&data, &needles);
        assert!(left.is_empty(), "after {step:?}: {left:?}");
        println!(
            "report: killed after {step:?}: {} files scanned for {} needles, nothing found",
            files(&data).len(),
            needles.len()
        );
    }

    // A backup holds the sealed bytes, and no key in the key store opens them.
    assert!(found(&backup, &needles).iter().all(|found| found.contains("sealed")));
    assert!(!found(&backup, &needles).is_empty());
    let keys = FileKeyStore::open(&data.join("keys")).unwrap();
    let pool: PoolName = POOL.parse().unwrap();
    let definition = fs::read_to_string(data.join("pools").join(POOL).join("pool.toml")).unwrap();
    let check = definition.lines().find_map(|line| line.strip_prefix("key_check = ")).unwrap();
    let key = keys.open_pool(&pool, &check.trim_matches('"').parse().unwrap()).unwrap();
    assert!(keys.subject_key(&key, subject).unwrap().is_none());
    assert_eq!(keys.key_states(&key, &[subject]).unwrap(), [KeyState::Destroyed]);
    let left = keys.subject_keys(&key).unwrap();
    assert_eq!(left.len(), 2, "the others keep theirs");
    for (owner, key) in left {
        for image in &sealed {
            assert!(key.open(b"", image).is_err(), "the key of {owner} opens nothing of the erased");
        }
    }
    drop(keys);

    // Put back, it brings everybody back but the erased: no byte, no key, and the ledger still has the certificate.
    service.ok(&["restore", "--from", backup.to_str().unwrap(), "--into", data.to_str().unwrap(), "--yes"]);
    assert!(found(&data, &needles).is_empty(), "before anything is served");
    service.serve();
    check_gone(&service, &id, &rest, "restored").await;
    service.stop();
    let left = found(&data, &needles);
    assert!(left.is_empty(), "{left:?}");
    println!(
        "report: a backup from before the erasure was put back: the erased stay erased, the others are as they were"
    );
}
