//! A pool moves to another algorithm, through `kill -9` at random points of every step, and goes back to the very same answers.
//!
//! `LIKENESS_MIGRATION_REFERENCES` sets the number of references; `report:` lines say what was run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use image::{ImageFormat, imageops::FilterType};
use likeness_proto::v1::{
    Candidate, EnrolRequest, FaceSelection, SearchRequest, enrol_response::Outcome,
    enrolment_service_client::EnrolmentServiceClient, face_selection::Choice,
    search_service_client::SearchServiceClient,
};
use likeness_tests::{
    client::{channel, context, source, token},
    faces,
    service::Service,
    two_packs::{self, SECOND},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio_stream::StreamExt as _;

/// Distinct pictures; references share them, so that many references stay quick.
const PICTURES: u32 = 24;
const PROBES: usize = 6;

fn references() -> u32 {
    std::env::var("LIKENESS_MIGRATION_REFERENCES").ok().and_then(|text| text.parse().ok()).unwrap_or(240)
}

/// A small picture of a synthetic person.
fn small(person: u32, capture: u32) -> Vec<u8> {
    let picture = image::load_from_memory(&faces::plain(person, capture)).unwrap();
    let mut out = std::io::Cursor::new(Vec::new());
    picture.resize(224, 224, FilterType::Triangle).write_to(&mut out, ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

/// Pictures that this algorithm can encode, found by trying: the detector misses a face now and then.
async fn usable(service: &Service, pictures: impl Iterator<Item = Vec<u8>>, wanted: usize) -> Vec<Vec<u8>> {
    let mut client = EnrolmentServiceClient::with_interceptor(channel(service).await, token(&service.data()));
    let mut usable = Vec::new();
    for picture in pictures {
        static TRIALS: AtomicU32 = AtomicU32::new(0);
        let name = format!("trial-{}", TRIALS.fetch_add(1, Ordering::Relaxed));
        let request = EnrolRequest {
            context: Some(context("record_management", "TRIAL")),
            pool: "trial".into(),
            subject_reference: name.clone(),
            source_reference: name,
            image: picture.clone().into(),
            selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
            ..EnrolRequest::default()
        };
        if client.enrol(request).await.is_ok_and(|answer| answer.get_ref().outcome() == Outcome::Enrolled) {
            usable.push(picture);
        }
        if usable.len() == wanted {
            return usable;
        }
    }
    panic!("only {} usable pictures", usable.len());
}

struct Place {
    service: Service,
    probes: Vec<Vec<u8>>,
    random: ChaCha8Rng,
}

impl Place {
    async fn search(&self, probe: &[u8]) -> (Vec<Candidate>, u64, String) {
        let mut client =
            SearchServiceClient::with_interceptor(channel(&self.service).await, token(&self.service.data()));
        let request = SearchRequest {
            context: Some(context("criminal_investigation", "CHECK")),
            probe: probe.to_vec().into(),
            source: Some(source()),
            selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
            pools: vec!["cells".into()],
            candidate_list_length: 20,
            ..SearchRequest::default()
        };
        let answer = client.search(request).await.unwrap().into_inner();
        let space = answer.algorithm.unwrap().space_id;
        (answer.candidates, answer.pools[0].gallery_size, space)
    }

    async fn answers(&self) -> Vec<(Vec<Candidate>, u64, String)> {
        let mut all = Vec::new();
        for probe in &self.probes {
            all.push(self.search(probe).await);
        }
        all
    }

    async fn enrol(&self, numbers: std::ops::Range<u32>, pictures: &[Vec<u8>]) {
        let requests: Vec<_> = numbers
            .map(|n| EnrolRequest {
                context: Some(context("record_management", "BULK")),
                pool: "cells".into(),
                subject_reference: format!("s{n:06}"),
                source_reference: format!("s{n:06}/0"),
                image: pictures[(n % PICTURES) as usize].clone().into(),
                selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
                ..EnrolRequest::default()
            })
            .collect();
        let mut client = EnrolmentServiceClient::with_interceptor(
            channel(&self.service).await,
            token(&self.service.data()),
        );
        let mut results = client.enrol_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
        while let Some(result) = results.next().await {
            let result = result.unwrap();
            assert_eq!(
                result.outcome(),
                Outcome::Enrolled,
                "{}: {:?}",
                result.source_reference,
                result.refusal
            );
        }
    }

    fn step(&self, step: &[&str]) -> Value {
        let mut line = vec!["pool", "migrate", "cells"];
        line.extend(step);
        line.push("--json");
        self.service.json(&line)["migration"].clone()
    }

    fn refused(&self, step: &[&str]) -> String {
        let mut line = vec!["pool", "migrate", "cells"];
        line.extend(step);
        line.push("--json");
        let output = self.service.cli(&line);
        assert_eq!(output.status.code(), Some(3), "{step:?} should be refused");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["error"]["code"].as_str().unwrap().to_owned()
    }

    fn kill(&mut self) {
        self.service.kill();
        self.service.serve();
    }

    /// Waits until `enough` images are encoded; the number.
    fn encoded(&self, enough: u64) -> u64 {
        let began = Instant::now();
        loop {
            let status = self.step(&["status"]);
            let encoded = status["encoded"].as_u64().unwrap();
            if encoded >= enough {
                return encoded;
            }
            assert!(began.elapsed() < Duration::from_secs(1800), "encoding does not go on: {status}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a step and kills the server somewhere in it.
    fn cut_short(&mut self, step: &[&str]) {
        let mut line = vec!["pool", "migrate", "cells"];
        line.extend(step);
        let mut running = self.service.command(&line).spawn().unwrap();
        thread::sleep(Duration::from_micros(self.random.random_range(0..60_000)));
        self.kill();
        running.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_cannot_be_encoded_leave_search_only_when_that_is_accepted() {
    let mut service = Service::init_in(two_packs::home, two_packs::FIRST);
    service.serve();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["pool", "create", "others", "--kind", "custody"]);
    service.ok(&["pool", "create", "trial", "--kind", "custody"]);
    let pictures = usable(&service, (0..).map(|person| small(person, 0)), PICTURES as usize).await;
    let place = Place { service, probes: vec![pictures[3].clone()], random: ChaCha8Rng::seed_from_u64(1) };
    place.enrol(0..PICTURES, &pictures).await;
    let before = place.answers().await;
    place.step(&["start", "--to", two_packs::BLIND]);
    while place.step(&["status"])["waiting"].as_u64().unwrap() > 0 {
        thread::sleep(Duration::from_millis(50));
    }
    let status = place.step(&["status"]);
    assert_eq!(status["refused"][0]["reason"], "no_face", "{status}");
    assert_eq!(status["refused"][0]["images"], PICTURES);
    assert_eq!(status["refused_images"].as_array().unwrap().len(), PICTURES as usize);
    let text = place.service.ok(&["pool", "migrate", "cells", "status"]);
    assert!(text.contains("Not encodable by `blind`: 24 images, no_face"), "{text}");
    assert_eq!(place.refused(&["switch"]), "migration_refused_images");
    assert_eq!(place.refused(&["switch", "--accept-refused", "23"]), "migration_refused_images");
    assert!(place.answers().await == before);

    place.step(&["switch", "--accept-refused", "24"]);
    // Nobody is searchable by the blind algorithm, and a search over both algorithms is no list at all.
    let mut line = vec![
        "search",
        "x",
        "--json",
        "--purpose",
        "criminal_investigation",
        "--reference",
        "R",
        "--source",
        "cctv",
    ];
    line.extend(["--justification", "a search over two algorithms", "--pool", "cells", "--pool", "others"]);
    let probe = place.service.scratch().join("probe.jpg");
    std::fs::write(&probe, &place.probes[0]).unwrap();
    line[1] = probe.to_str().unwrap();
    let output = place.service.cli(&line);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["error"]["code"], "different_algorithms", "{answer}");
    let status = place.step(&["status"]);
    assert_eq!((&status["state"], &status["active_pack"]), (&"switched".into(), &"blind".into()), "{status}");
    assert_eq!(place.step(&["rollback"])["state"], "ready");
    assert!(place.answers().await == before, "going back gives other answers");
    // Given up: the pool is what it was.
    place.step(&["retire"]);
    while place.step(&["status"])["state"] != "none" {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(place.answers().await == before);
    place.service.ok(&["audit", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_moves_through_kills_and_back_to_the_same_answers() {
    let references = references();
    let seed = 20_260_707;
    eprintln!("seed {seed}, {references} references");
    let mut service = Service::init_in(two_packs::home, two_packs::FIRST);
    service.serve();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["pool", "create", "trial", "--kind", "custody"]);
    let mut pictures = usable(&service, (0..).map(|person| small(person, 0)), PICTURES as usize + 1).await;
    let newcomer = pictures.remove(PICTURES as usize);
    let probes = usable(&service, (0..).map(|person| small(person, 1)), PROBES).await;
    let mut place = Place { service, probes, random: ChaCha8Rng::seed_from_u64(seed) };
    place.enrol(0..references, &pictures).await;
    let before = place.answers().await;
    assert!(
        before.iter().all(|(list, gallery, _)| list.len() == 20.min(references as usize)
            && *gallery == u64::from(references))
    );

    assert_eq!(place.refused(&["switch"]), "migration_state");
    assert_eq!(place.refused(&["start", "--to", two_packs::FIRST]), "same_algorithm");
    assert_eq!(place.refused(&["start", "--to", "no-such-pack"]), "pack_unusable");
    let began = Instant::now();
    place.cut_short(&["start", "--to", SECOND]);
    if place.step(&["status"])["state"] == "none" {
        place.step(&["start", "--to", SECOND]);
    }
    assert_eq!(place.refused(&["start", "--to", SECOND]), "migration_under_way");
    // Killed at four points of the encoding: what was encoded stays, and searches are what they were.
    let mut kept = 0;
    for quarter in 0..4_u64 {
        let goal =
            u64::from(references) * quarter / 4 + place.random.random_range(0..u64::from(references) / 4);
        let seen = place.encoded(goal);
        place.kill();
        let after = place.step(&["status"])["encoded"].as_u64().unwrap();
        assert!(after >= seen && seen >= kept, "{after} encoded after a kill, {seen} before");
        kept = after;
        assert!(place.answers().await == before, "a search changed while the pool was being encoded");
    }
    place.encoded(u64::from(references));
    let encoding = began.elapsed();
    let status = place.step(&["status"]);
    assert_eq!((&status["state"], &status["waiting"]), (&"ready".into(), &0.into()), "{status}");

    // Live probes were searched for with both.
    place.answers().await;
    let began = Instant::now();
    while place.step(&["compare"])["agreement"]["probes"].as_u64().unwrap() < 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "no live probe was compared");
        thread::sleep(Duration::from_millis(100));
    }
    let agreement = place.step(&["compare"])["agreement"].clone();

    // Killed in the middle of going over: all of it or nothing, never a mixture.
    place.cut_short(&["switch"]);
    let answers = place.answers().await;
    let went_over = place.step(&["status"])["state"] == "switched";
    assert_eq!(answers == before, !went_over, "the answers do not fit the state");
    let began = Instant::now();
    if !went_over {
        assert_eq!(place.step(&["switch"])["state"], "switched");
    }
    let switching = began.elapsed();
    let over = place.answers().await;
    for ((list, gallery, space), (_, _, old_space)) in over.iter().zip(&before) {
        assert_eq!((list.len(), *gallery), (before[0].0.len(), u64::from(references)));
        assert_ne!(space, old_space);
    }
    place.kill();
    assert!(place.answers().await == over, "the switch did not survive a kill");

    // Back: the very same answers, bit for bit, also after a kill.
    let began = Instant::now();
    assert_eq!(place.step(&["rollback"])["state"], "ready");
    let rolling_back = began.elapsed();
    assert!(place.answers().await == before, "going back gives other answers");
    place.kill();
    assert!(place.answers().await == before, "after a kill, going back gives other answers");

    // Who is enrolled meanwhile is found with either algorithm, at once.
    place.step(&["switch"]);
    place.enrol(references..references + 1, &vec![newcomer.clone(); PICTURES as usize]).await;
    let name = format!("s{references:06}");
    assert_eq!(place.search(&newcomer).await.0[0].subject_reference, name);
    assert_eq!(place.step(&["rollback"])["waiting"], 0);
    assert_eq!(place.search(&newcomer).await.0[0].subject_reference, name);
    place.step(&["switch"]);

    // Killed while the old templates are being erased: it goes on by itself, and there is no way back.
    let last = place.answers().await;
    place.cut_short(&["retire"]);
    if place.step(&["status"])["state"] == "switched" {
        place.step(&["retire"]);
    }
    let began = Instant::now();
    while place.step(&["status"])["state"] != "none" {
        assert!(began.elapsed() < Duration::from_secs(300), "retiring does not end");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(place.refused(&["rollback"]), "migration_state");
    assert!(place.answers().await == last);
    place.service.stop();
    let records =
        rusqlite::Connection::open(place.service.data().join("pools/cells/records.sqlite")).unwrap();
    let left: i64 = records
        .query_row("SELECT count(*) FROM image WHERE other IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "old templates are left");
    drop(records);
    place.service.ok(&["audit", "verify"]);
    println!(
        "report: migration of {references} references: encoded in {:.1} s through 5 kills, switched in {:.2} s, rolled back in {:.2} s; \
         live probes {agreement}",
        encoding.as_secs_f64(),
        switching.as_secs_f64(),
        rolling_back.as_secs_f64(),
    );
}
