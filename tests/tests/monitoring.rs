//! Does an operating point still hold? Control images are counted, nobody is shown, and only what the tester signed is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::PathBuf};

use likeness_tests::{
    auditing::recorded,
    faces,
    run_folder::{self, MadeUp},
    service::Service,
};
use serde_json::Value;

const CONTROLS: u32 = 50;

struct Place {
    service: Service,
    id: String,
    controls: PathBuf,
    set: PathBuf,
}

/// Eight persons in a pool, an approved point for up to 20 images, and fifty controls who are not among them.
fn place() -> Place {
    let service = Service::start();
    let at = |name: &str| service.scratch().join(name);
    faces::folder(&at("images"), 0..8, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", at("images").to_str().unwrap()]);
    let space = service.json(&["pool", "list", "--json"])["pools"][0]["algorithm"]["space_id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Approved: half of all searches score 0.9 or more, which strangers do not, and 5 % nearly 1.
    let steps = [(-9.0, 1000, 0), (0.9, 500, 10), (0.99, 50, 20), (1.0, 0, 900)];
    run_folder::write(
        &at("run"),
        &MadeUp { space: &space, galleries: &[200], steps: &steps, synthetic: false },
    );
    let expires = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(90)).to_string();
    let (run, key, record) = (at("run"), at("tester.key"), at("cells.point"));
    let mut line =
        vec!["calibrate", "--run", run.to_str().unwrap(), "--pool-kinds", "custody", "--target-fpir", "0.05"];
    line.extend([
        "--use-case",
        "criminal_investigation",
        "--approver",
        "local operator",
        "--expires",
        &expires,
    ]);
    line.extend(["--gallery-to", "20", "--key", key.to_str().unwrap(), "--out", record.to_str().unwrap()]);
    service.ok(&line);
    let public = at("tester.key.pub");
    let line = [
        "operating-point",
        "approve",
        record.to_str().unwrap(),
        "--tester-key",
        public.to_str().unwrap(),
        "--json",
    ];
    let id = service.json(&line)["operating_point"]["id"].as_str().unwrap().to_owned();
    let (controls, set) = (at("controls"), at("strangers.controls"));
    faces::folder(&controls, 1000..1000 + CONTROLS, 1);
    let line = [
        "operating-point",
        "controls",
        controls.to_str().unwrap(),
        "--people",
        "synthetic persons that no pool holds",
    ];
    service.ok(&[&line[..], &["--key", key.to_str().unwrap(), "--out", set.to_str().unwrap()]].concat());
    Place { id, controls, set, service }
}

impl Place {
    fn check(&self, more: &[&str]) -> (Option<i32>, Value) {
        let line = ["operating-point", "check", &self.id, "--pool", "cells", "--json"];
        let output = self.service.cli(&[&line[..], more].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (output.status.code(), value)
    }

    fn with_controls(&self) -> (Option<i32>, Value) {
        self.check(&[
            "--controls",
            self.controls.to_str().unwrap(),
            "--control-set",
            self.set.to_str().unwrap(),
        ])
    }
}

#[test]
fn controls_are_counted_and_a_change_is_an_alert() {
    let place = place();
    let (code, held) = place.with_controls();
    assert_eq!((code, held["state"].as_str()), (Some(0), Some("holds")), "{held}");
    assert_eq!((&held["controls"], &held["gallery_size"]), (&CONTROLS.into(), &8.into()));
    assert_eq!(held["levels"][0]["threshold"], 0.99, "the threshold first");
    assert_eq!(held["levels"][0]["observed"]["of"], CONTROLS);
    assert!(!held.to_string().contains("p000"), "nobody is shown: {held}");
    assert!(
        held["notices"].as_array().unwrap().is_empty(),
        "enough controls, far from the end of the range: {held}"
    );

    // The controls are enrolled: now each of them finds itself, as if the algorithm had gone wrong.
    place.service.ok(&["enrol", "--pool", "cells", place.controls.to_str().unwrap()]);
    let (code, gone) = place.with_controls();
    assert_eq!((code, gone["state"].as_str()), (Some(8), Some("alert")), "{gone}");
    assert!(gone["alerts"][0].as_str().unwrap().contains("outside the approved 1 to 20"), "{gone}");
    let (observed, approved) = (&gone["levels"][0]["observed"], &gone["levels"][0]["approved"]);
    assert!(observed["low"].as_f64() > approved["high"].as_f64(), "{gone}");
    assert!(gone["alerts"][1].as_str().unwrap().contains("control searches have a candidate"), "{gone}");
    // The size alone says so as well, without any image.
    assert_eq!(place.check(&[]).0, Some(8));
    let entries = recorded(&place.service, 0);
    let checks = entries.iter().filter(|entry| entry.rpc.ends_with("/CheckOperatingPoint"));
    let said: Vec<&str> = checks.map(|entry| entry.notes["drift"].as_str()).collect();
    assert_eq!(said, ["holds", "alert", "alert"], "every check is on record with what it came to");
    place.service.ok(&["audit", "verify"]);
}

#[test]
fn an_image_that_nobody_signed_is_not_compared() {
    let place = place();
    let suspect = place.controls.join("suspect.jpg");
    fs::write(&suspect, faces::plain(3, 1)).unwrap();
    let (code, refused) = place.with_controls();
    assert_eq!((code, &refused["error"]["code"]), (Some(3), &"control_set_not_valid".into()), "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("is not in the signed set"), "{refused}");
    fs::remove_file(&suspect).unwrap();
    // Fewer than tell nothing about one person.
    for person in 1000..1010 {
        fs::remove_dir_all(place.controls.join(format!("p{person:05}"))).unwrap();
    }
    let (code, refused) = place.with_controls();
    assert_eq!((code, &refused["error"]["code"]), (Some(3), &"invalid_field".into()), "{refused}");
    // A list that another key signed.
    let text = fs::read_to_string(&place.set).unwrap();
    fs::write(&place.set, text.replacen("no pool holds", "no pool helds", 1)).unwrap();
    for person in 1000..1010 {
        faces::folder(&place.controls, person..person + 1, 1);
    }
    assert_eq!(place.with_controls().1["error"]["code"], "control_set_not_valid");
}
