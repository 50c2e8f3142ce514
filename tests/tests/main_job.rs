//! The main job, through the command line as a person would use it: init, serve, pool, enrol, search, compare, audit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use likeness_tests::{faces, service::Service};

const SEARCH: [&str; 10] = [
    "--purpose",
    "criminal_investigation",
    "--justification",
    "suspect leaving the scene of a robbery",
    "--reference",
    "OP-2026-0042",
    "--source",
    "cctv",
    "--acquired-under",
    "consent of the owner",
];

#[test]
fn enrol_search_compare_and_verify() {
    let service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..24, 1);
    let probe = service.scratch().join("probe.jpg");
    fs::write(&probe, faces::plain(7, 1)).unwrap();
    let (images, probe) = (images.to_str().unwrap(), probe.to_str().unwrap());

    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let summary = service.json(&["enrol", "--pool", "cells", images, "--json"]);
    assert_eq!(summary["enrolled"], 24, "{summary}");
    // The same command again changes nothing: idempotent by system and source reference.
    let again = service.json(&["enrol", "--pool", "cells", images, "--json"]);
    assert_eq!(again["enrolled"], 0, "{again}");
    assert_eq!(again["already_enrolled"], 24, "{again}");

    let mut search = vec!["search", probe, "--pool", "cells", "--json"];
    search.extend(SEARCH);
    let answer = service.json(&search);
    let candidates = answer["candidates"].as_array().unwrap();
    assert_eq!(candidates[0]["subject"], "p00007", "{answer}");
    assert_eq!(candidates[0]["image"], "p00007/0.jpg");
    for (at, candidate) in candidates.iter().enumerate() {
        assert_eq!(candidate["standing"]["outcome_status"], "no_event", "{candidate}");
        assert_eq!(candidate["standing"]["disposition"], "retain", "{candidate}");
        assert_eq!(candidate["rank"], at + 1);
    }
    let similarities: Vec<f64> =
        candidates.iter().map(|candidate| candidate["similarity"].as_f64().unwrap()).collect();
    assert!(similarities.windows(2).all(|pair| pair[0] >= pair[1]), "{similarities:?}");
    assert!(answer["caveat"].as_str().unwrap().contains("not an identification"), "{answer}");
    assert!(answer["receipt"]["event_id"].as_str().is_some_and(|id| id.len() == 36), "{answer}");

    // The page is one file, and names nothing outside itself.
    let page = service.scratch().join("page.html");
    let mut html = vec!["search", probe, "--pool", "cells", "--html", page.to_str().unwrap()];
    html.extend(SEARCH);
    let table = service.ok(&html);
    assert!(table.contains("p00007"), "{table}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("data:image/") && page.contains("p00007"));
    assert!(
        !page.contains("src=\"http") && !page.contains("href=\"http"),
        "the page refers to something outside itself"
    );

    let same = service.scratch().join("same.jpg");
    fs::write(&same, faces::plain(7, 0)).unwrap();
    let other = service.scratch().join("other.jpg");
    fs::write(&other, faces::plain(3, 0)).unwrap();
    let mated =
        service.json(&["compare", probe, same.to_str().unwrap(), "--json"])["similarity"].as_f64().unwrap();
    let non_mated =
        service.json(&["compare", probe, other.to_str().unwrap(), "--json"])["similarity"].as_f64().unwrap();
    assert!(mated > non_mated, "same person {mated}, another {non_mated}");

    service.ok(&["audit", "verify"]);
}

#[test]
fn results_survive_a_restart_and_are_the_same() {
    let mut service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..10, 1);
    let probe = service.scratch().join("probe.jpg");
    fs::write(&probe, faces::plain(4, 1)).unwrap();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
    let mut search = vec!["search", probe.to_str().unwrap(), "--pool", "cells", "--json"];
    search.extend(SEARCH);
    let before = service.json(&search)["candidates"].clone();
    service.stop();
    service.serve();
    assert_eq!(service.json(&search)["candidates"], before);
    service.stop();
    service.ok(&["audit", "verify"]);
}

#[test]
fn a_pool_can_be_made_before_the_server_runs() {
    let mut service = Service::init();
    service.ok(&["pool", "create", "early", "--kind", "missing-person"]);
    service.serve();
    let listed = service.ok(&["pool", "list", "--json"]);
    assert!(listed.contains("early"), "{listed}");
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let service = Service::start();
    service.ok(&["pool", "create", "missing", "--kind", "missing-person"]);
    let probe = service.scratch().join("probe.jpg");
    fs::write(&probe, faces::plain(1, 0)).unwrap();
    let probe = probe.to_str().unwrap();
    let code = |arguments: &[&str]| service.cli(arguments).status.code();

    let mut forbidden = vec!["search", probe, "--pool", "missing"];
    forbidden.extend(SEARCH);
    assert_eq!(code(&forbidden), Some(4), "a criminal investigation never reaches missing persons");

    let blank = service.scratch().join("blank.png");
    image::RgbImage::from_pixel(300, 300, image::Rgb([120, 120, 120])).save(&blank).unwrap();
    let blank = blank.to_str().unwrap();
    assert_eq!(code(&["compare", blank, probe]), Some(3), "no face in the image");
    assert_eq!(
        code(&["search", probe, "--pool", "missing"]),
        Some(2),
        "purpose and justification are missing"
    );
    assert_eq!(code(&["frobnicate"]), Some(2));

    let mut nowhere = Service::init();
    assert_eq!(nowhere.cli(&["compare", probe, probe]).status.code(), Some(5), "no server");
    nowhere.serve();
    assert_eq!(nowhere.cli(&["compare", probe, probe]).status.code(), Some(0));
}

#[test]
fn no_profile_is_a_clear_error() {
    let output = std::process::Command::new(likeness_tests::service::binary("likeness"))
        .args(["audit", "verify"])
        .env_remove("LIKENESS_PROFILE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("--profile") && said.contains("LIKENESS_PROFILE"), "{said}");
}
