//! Pools are apart: what a search of several says about those it may not touch, keys and folders in the wrong place, and what
//! is left when one is given up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{fs, path::Path};

use likeness_proto::v1::{SearchRequest, search_service_client::SearchServiceClient};
use likeness_tests::{
    client::{channel, context, source, token},
    faces,
    log::entries,
    service::Service,
};

#[tokio::test]
async fn a_forbidden_pool_and_one_that_does_not_exist_look_the_same_inside_a_search_of_several() {
    let service = Service::start();
    for (name, kind) in [("cells", "custody"), ("wanted", "person"), ("missing", "missing-person")] {
        service.ok(&["pool", "create", name, "--kind", kind]);
    }
    for (pool, persons) in [("cells", 0..4), ("wanted", 4..8), ("missing", 8..10)] {
        let folder = service.scratch().join(pool);
        faces::folder(&folder, persons, 1);
        let ended = service.cli(&["enrol", "--pool", pool, folder.to_str().unwrap()]);
        assert!(matches!(ended.status.code(), Some(0 | 7)), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let mut client = SearchServiceClient::with_interceptor(channel(&service).await, token(&service.data()));
    let ask = |pools: &[&str]| SearchRequest {
        context: Some(context("criminal_investigation", "REF-1")),
        probe: faces::plain(1, 0).into(),
        source: Some(source()),
        selection: None,
        pools: pools.iter().map(|&pool| pool.into()).collect(),
        candidate_list_length: 50,
        ..SearchRequest::default()
    };
    let several = client.search(ask(&["cells", "missing", "wanted", "nowhere"])).await.unwrap().into_inner();
    let searched: Vec<_> =
        several.pools.iter().filter(|pool| pool.searched).map(|pool| pool.pool.as_str()).collect();
    let refused: Vec<_> =
        several.pools.iter().filter(|pool| !pool.searched).map(|pool| pool.pool.as_str()).collect();
    assert_eq!((searched, refused), (vec!["cells", "wanted"], vec!["missing", "nowhere"]));

    // What a refusal says and how long it is, apart from the name that was asked for and the receipt.
    let shape = |name: &str| {
        let pool = several.pools.iter().find(|pool| pool.pool == name).unwrap();
        (pool.refusal.clone(), pool.gallery_size, pool.searched, pool.receipt.is_some())
    };
    assert_eq!(shape("missing"), shape("nowhere"));
    // The log knows the difference.
    let log = entries(&service);
    let recorded = |name: &str| {
        log.iter().rfind(|entry| entry["pool"]["name"] == name).unwrap()["refusal"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (recorded("missing").as_str(), recorded("nowhere").as_str()),
        ("forbidden_by_policy", "unknown_pool")
    );

    // The answer of several is the union of the answers of each.
    let mut union = Vec::new();
    for pool in ["cells", "wanted"] {
        union.extend(client.search(ask(&[pool])).await.unwrap().into_inner().candidates);
    }
    let shown = |candidates: &[likeness_proto::v1::Candidate]| {
        let mut all: Vec<_> = candidates
            .iter()
            .map(|one| (one.pool.clone(), one.image_id.clone(), one.similarity.to_bits()))
            .collect();
        all.sort();
        all
    };
    assert!(union.len() >= 4, "only {} candidates", union.len());
    assert_eq!(shown(&several.candidates), shown(&union));
}

#[test]
fn another_pools_key_or_folder_keeps_the_server_from_starting() {
    let mut service = Service::start();
    for name in ["one", "two"] {
        service.ok(&["pool", "create", name, "--kind", "custody"]);
        let folder = service.scratch().join(name);
        faces::folder(&folder, 0..2, 1);
        let ended = service.cli(&["enrol", "--pool", name, folder.to_str().unwrap()]);
        assert!(matches!(ended.status.code(), Some(0 | 7)));
    }
    service.stop();
    let swap = |left: &Path, right: &Path| {
        let aside = left.with_extension("aside");
        fs::rename(left, &aside).unwrap();
        fs::rename(right, left).unwrap();
        fs::rename(&aside, right).unwrap();
    };
    let (pools, keys) = (service.data().join("pools"), service.data().join("keys/pools"));
    let mut swaps = vec![(pools.join("one"), pools.join("two"))];
    for file in ["records.sqlite", "pool.toml", "blobs"] {
        swaps.push((pools.join("one").join(file), pools.join("two").join(file)));
    }
    for entry in fs::read_dir(&keys).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(suffix) = name.strip_prefix("one.") {
            swaps.push((path.clone(), keys.join(format!("two.{suffix}"))));
        }
    }
    assert!(swaps.len() >= 5, "the key files are not where this test looks: {swaps:?}");
    for (left, right) in &swaps {
        swap(left, right);
        let refused = service.refuses_to_serve();
        swap(left, right);
        assert!(refused.is_some(), "served with {} swapped", left.display());
        let said = refused.unwrap();
        assert!(said.contains("one") || said.contains("two"), "the refusal names no pool: {said}");
    }
    // As it was, it serves.
    service.serve();
    service.ok(&["audit", "verify"]);
    println!("report: swapped keys and folders: {} of {} refused", swaps.len(), swaps.len());
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn dropping_a_pool_leaves_the_others_byte_identical() {
    let mut service = Service::start();
    for name in ["kept", "given-up"] {
        service.ok(&["pool", "create", name, "--kind", "custody"]);
        let folder = service.scratch().join(name);
        faces::folder(&folder, 0..2, 1);
        let ended = service.cli(&["enrol", "--pool", name, folder.to_str().unwrap()]);
        assert!(matches!(ended.status.code(), Some(0 | 7)));
    }
    let drop_it =
        ["pool", "drop", "given-up", "--confirm", "given-up", "--justification", "no longer needed"];
    assert_eq!(service.cli(&drop_it).status.code(), Some(5), "not while a server runs");
    service.stop();
    let of_kept = |all: std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
        let mut all = all;
        all.retain(|path, _| path.to_string_lossy().contains("kept"));
        all
    };
    let (pools, keys) = (service.data().join("pools"), service.data().join("keys/pools"));
    let before = (of_kept(files(&pools)), of_kept(files(&keys)));
    assert!(before.0.len() >= 3 && !before.1.is_empty(), "{} and {} files", before.0.len(), before.1.len());
    service.ok(&drop_it);
    assert_eq!((of_kept(files(&pools)), of_kept(files(&keys))), before);
    let left: Vec<_> = files(&pools)
        .into_keys()
        .chain(files(&keys).into_keys())
        .filter(|path| path.to_string_lossy().contains("given-up"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let log = entries(&service);
    let last = log.last().unwrap();
    assert_eq!((&last["operation"], &last["phase"]), (&"erasure".into(), &"outcome".into()));
    service.serve();
    let listed = service.json(&["pool", "list", "--json"]);
    assert!(listed.to_string().contains("kept") && !listed.to_string().contains("given-up"), "{listed}");
    service.ok(&["audit", "verify"]);
}
