//! A pool that the operator wants searched approximately says so wherever its list is shown; no other pool is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    time::{Duration, Instant},
};

use likeness_proto::v1::{
    PoolResult, SearchRequest, SearchResponse,
    search_response::{Exactness, Mode},
    search_service_client::SearchServiceClient,
};
use likeness_tests::{
    auditing::{recorded, search},
    client::{Token, channel, token},
    faces,
    service::Service,
};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

const PERSONS: u32 = 12;

type Searching = SearchServiceClient<InterceptedService<Channel, Token>>;

/// Pools `cells`, approximate, and `exact`: the same persons with two images each.
fn serve() -> Service {
    let mut service = Service::init();
    let config = service.data().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("compressed_pools = []"), "no pool is compressed by default");
    fs::write(&config, text.replace("compressed_pools = []", "compressed_pools = [\"cells\"]")).unwrap();
    service.serve();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..PERSONS, 2);
    for pool in ["cells", "exact"] {
        service.ok(&["pool", "create", pool, "--kind", "custody"]);
        // A render without a face that the detector finds is refused, in both pools alike.
        let _ = service.cli(&["enrol", "--pool", pool, images.to_str().unwrap()]);
    }
    service
}

async fn answer(searching: &mut Searching, pools: &[&str]) -> SearchResponse {
    searching.search(search(pools)).await.unwrap().into_inner()
}

/// The recall is measured in the background: asks until it is told.
async fn measured(searching: &mut Searching, pools: &[&str], rows: u64) -> SearchResponse {
    let began = Instant::now();
    loop {
        let answer = answer(searching, pools).await;
        if answer.pools[0].recall.as_ref().is_some_and(|recall| recall.rows == rows) {
            return answer;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the recall is never measured: {:?}",
            answer.pools
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn listed(answer: &SearchResponse) -> Vec<(&str, u64)> {
    let one = |candidate: &'_ likeness_proto::v1::Candidate| candidate.similarity.to_bits();
    answer.candidates.iter().map(|found| (found.subject_reference.as_str(), one(found))).collect()
}

fn all_of(pool: &PoolResult) -> bool {
    let recall = pool.recall.as_ref().unwrap();
    recall.others.iter().chain(&recall.mated).all(|share| share.of > 0 && share.found == share.of)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_pool_answers_approximately_and_tells_its_recall() {
    let service = serve();
    let mut searching =
        SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));

    let exact = answer(&mut searching, &["exact"]).await;
    assert_eq!((exact.exactness(), exact.pools[0].exactness()), (Exactness::Certified, Exactness::Certified));
    assert!(exact.pools[0].recall.is_none());
    let gallery = exact.pools[0].gallery_size;
    assert!(gallery > u64::from(PERSONS), "{gallery} images were enrolled");

    let from = recorded(&service, 0).len() as u64;
    let both = measured(&mut searching, &["cells", "exact"], gallery).await;
    assert_eq!(both.exactness(), Exactness::Approximate, "the weakest promise is that of the list");
    let promised: Vec<Exactness> = both.pools.iter().map(PoolResult::exactness).collect();
    assert_eq!(promised, [Exactness::Approximate, Exactness::Certified]);
    let recall = both.pools[0].recall.clone().unwrap();
    assert!(all_of(&both.pools[0]), "so few images are all compared in full precision: {recall:?}");
    assert_eq!(u64::from(recall.other_probes), gallery.min(64));
    let mates = recall.mates.as_ref().unwrap();
    assert!(mates.of > 0 && mates.found == mates.of, "{mates:?}");
    assert!(recall.mated_probes > 0 && !recall.measured_at.is_empty());
    println!("report: recall over the wire {recall:?}");

    // So small a pool misses nothing; what is listed is the same to the last bit.
    let cells = answer(&mut searching, &["cells"]).await;
    assert_eq!(cells.exactness(), Exactness::Approximate);
    assert_eq!(listed(&cells), listed(&exact));

    // The log says it of the pool and of the list over both pools, and of nothing else.
    let noted: Vec<(Option<String>, Option<String>)> = recorded(&service, from)
        .into_iter()
        .filter(|entry| !entry.candidates.is_empty() || entry.counts.contains_key("pools_searched"))
        .map(|entry| (entry.pool.map(|pool| pool.name), entry.notes.get("exactness").cloned()))
        .collect();
    assert!(noted.iter().any(|(pool, _)| pool.as_deref() == Some("exact")));
    for (pool, exactness) in noted {
        let approximate = pool.as_deref() != Some("exact");
        assert_eq!(exactness.is_some(), approximate, "{pool:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_are_refused_and_every_way_of_showing_says_it() {
    let service = serve();
    let mut searching =
        SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let with_threshold = SearchRequest { mode: Mode::Identification.into(), ..search(&["cells"]) };
    let refused = searching.search(with_threshold).await.unwrap_err();
    assert!(refused.message().contains("search.compressed_pools"), "{}", refused.message());

    let rows = answer(&mut searching, &["exact"]).await.pools[0].gallery_size;
    measured(&mut searching, &["cells"], rows).await;
    let (probe, page) = (service.scratch().join("probe.jpg"), service.scratch().join("page.html"));
    fs::write(&probe, faces::plain(7, 3)).unwrap();
    let mut arguments = vec!["search", probe.to_str().unwrap(), "--pool", "cells"];
    arguments.extend(["--purpose", "criminal_investigation", "--justification", "exercised by a test"]);
    arguments.extend(["--reference", "OP-1", "--source", "cctv", "--acquired-under", "test licence"]);
    let told = service.ok(&[&arguments[..], &["--html", page.to_str().unwrap()]].concat());
    assert!(told.contains("APPROXIMATE") && told.contains("Measured recall"), "{told}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("APPROXIMATE") && page.contains("approximate: the list may miss people"), "{page}");
    let json = service.json(&[&arguments[..], &["--json"]].concat());
    assert_eq!(json["exactness"], "approximate");
    assert_eq!(json["pools"][0]["recall"]["rows"], rows);
}
