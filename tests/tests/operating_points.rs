//! No threshold that nobody measured: without an approved operating point that fits, a search with one is refused; with one,
//! only candidates at or above it are shown, and every similarity says what it means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::PathBuf};

use likeness_tests::{
    faces,
    run_folder::{self, MadeUp},
    service::Service,
};
use serde_json::Value;

const OPERATOR: &str = "local operator";

struct Place {
    service: Service,
    probe: String,
    space: String,
    /// Half of the persons are at or above it.
    threshold: f64,
    /// The made-up curve.
    steps: Vec<(f64, u64, u64)>,
}

impl Place {
    /// Six persons with one image each in the pool `cells`.
    fn new() -> Place {
        let service = Service::start();
        let images = service.scratch().join("images");
        faces::folder(&images, 0..6, 1);
        let probe = service.scratch().join("probe.jpg");
        fs::write(&probe, faces::plain(2, 1)).unwrap();
        service.ok(&["pool", "create", "cells", "--kind", "custody"]);
        service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
        let space = service.json(&["pool", "list", "--json"])["pools"][0]["algorithm"]["space_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let probe = probe.to_str().unwrap().to_owned();
        let mut place = Place { probe, space, service, threshold: 0.0, steps: Vec::new() };
        let list = place.search("cells", &[]).unwrap();
        let similarity = |at: usize| list["candidates"][at]["similarity"].as_f64().unwrap();
        // In short decimals, as a person would state it.
        let t = ((similarity(2) + similarity(3)) * 500.0).round() / 1000.0;
        assert!(similarity(0) >= t && similarity(5) < t && t < 0.99, "the test needs both sides: {list}");
        place.threshold = t;
        place.steps =
            vec![(-9.0, 1000, 0), (t - 0.1, 500, 10), (t, 50, 20), ((t + 1.0) / 2.0, 3, 100), (1.0, 0, 900)];
        place
    }

    fn search(&self, pool: &str, more: &[&str]) -> Result<Value, (Option<i32>, Value)> {
        let mut line =
            vec!["search", &self.probe, "--pool", pool, "--json", "--purpose", "criminal_investigation"];
        line.extend([
            "--justification",
            "suspect leaving the scene",
            "--reference",
            "OP-1",
            "--source",
            "cctv",
        ]);
        line.extend(more);
        let output = self.service.cli(&line);
        let value = serde_json::from_slice(&output.stdout).unwrap();
        if output.status.success() { Ok(value) } else { Err((output.status.code(), value)) }
    }

    /// What a new installation says of a similarity: measured, on synthetic images, approved by nobody, in every answer.
    fn shows_a_demonstration(&self, list: &Value) {
        assert!(
            list["mode_meaning"].as_str().unwrap().contains("DEMONSTRATION: measured on synthetic images"),
            "{list}"
        );
        for candidate in list["candidates"].as_array().unwrap() {
            let meaning = &candidate["meaning"];
            assert_eq!(
                (&meaning["measured"], &meaning["demonstration"]),
                (&true.into(), &true.into()),
                "{meaning}"
            );
            assert_eq!(meaning["approved"], false, "{meaning}");
            let text = meaning["text"].as_str().unwrap();
            assert!(
                text.contains("somebody scored this high or higher") && text.contains("% interval"),
                "{text}"
            );
            assert!(text.contains("not for operational use until you calibrate on your own"), "{text}");
            assert!(
                meaning["low"].as_f64() <= meaning["fpir"].as_f64() && meaning["high"].as_f64() <= Some(1.0)
            );
        }
        assert!(list["operating_points"].as_array().unwrap().is_empty(), "it decides nothing: {list}");
        let page = self.service.scratch().join("demonstration.html");
        let mut line = vec!["search", &self.probe, "--pool", "cells", "--html", page.to_str().unwrap()];
        line.extend(["--purpose", "criminal_investigation", "--justification", "suspect leaving the scene"]);
        line.extend(["--reference", "OP-1", "--source", "cctv"]);
        let table = self.service.ok(&line);
        let page = fs::read_to_string(page).unwrap();
        assert!(table.contains("(synthetic, not operational)") && table.contains("DEMONSTRATION"), "{table}");
        assert!(page.contains("(synthetic, not operational)") && page.contains("DEMONSTRATION"));
        // Nobody approved it, so it gives no threshold and is in no list.
        let listed = self.service.ok(&["operating-point", "list"]);
        assert!(listed.contains("No operating point"), "{listed}");
    }

    /// Refused for want of an operating point: the message.
    fn refused(&self, pool: &str, more: &[&str]) -> String {
        let (code, answer) = self.search(pool, more).expect_err("the search should be refused");
        assert_eq!(
            (code, &answer["error"]["code"]),
            (Some(3), &Value::from("no_operating_point")),
            "{answer}"
        );
        assert!(answer["error"]["receipt"]["event_id"].is_string(), "a refusal is recorded: {answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Calibrates a made-up run; the record's file.
    fn calibrate(&self, name: &str, run: &MadeUp<'_>, more: &[&str]) -> PathBuf {
        let folder = self.service.scratch().join(format!("run-{name}"));
        run_folder::write(&folder, run);
        let out = self.service.scratch().join(format!("{name}.point"));
        let key = self.service.scratch().join("tester.key");
        let expires = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(90)).to_string();
        let mut line = vec!["calibrate", "--run", folder.to_str().unwrap(), "--pool-kinds", "custody"];
        line.extend(["--use-case", "criminal_investigation", "--target-fpir", "0.05", "--expires", &expires]);
        line.extend(["--key", key.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        if !more.contains(&"--approver") {
            line.extend(["--approver", OPERATOR]);
        }
        line.extend(more);
        self.service.ok(&line);
        out
    }

    fn approve(&self, record: &std::path::Path) -> Result<Value, (Option<i32>, Value)> {
        let key = self.service.scratch().join("tester.key.pub");
        let line = [
            "operating-point",
            "approve",
            record.to_str().unwrap(),
            "--tester-key",
            key.to_str().unwrap(),
            "--json",
        ];
        let output = self.service.cli(&line);
        let value = serde_json::from_slice(&output.stdout).unwrap();
        if output.status.success() { Ok(value) } else { Err((output.status.code(), value)) }
    }

    fn run(&self, galleries: &'static [u64]) -> MadeUp<'_> {
        MadeUp { space: &self.space, galleries, steps: &self.steps, synthetic: false }
    }
}

#[test]
fn a_threshold_needs_an_approved_operating_point_that_fits() {
    let mut place = Place::new();
    let threshold = place.threshold.to_string();
    for flags in [&["--identification"][..], &["--threshold", &threshold]] {
        let said = place.refused("cells", flags);
        assert!(said.contains("none is approved") && said.contains("likeness calibrate"), "{said}");
    }
    // A rank list needs none, is labelled as such, and has only the demonstration that comes with the pack to go by.
    let list = place.search("cells", &[]).unwrap();
    assert_eq!(list["mode"], "investigation");
    assert!(list["mode_meaning"].as_str().unwrap().contains("without a threshold"));
    assert_eq!(list["candidates"].as_array().unwrap().len(), 6);
    place.shows_a_demonstration(&list);

    // Approval: by the person whom the record names, of the record as it was signed.
    let other = place.calibrate("other", &place.run(&[5, 8]), &["--approver", "somebody else"]);
    let (code, answer) = place.approve(&other).unwrap_err();
    assert_eq!((code, &answer["error"]["code"]), (Some(4), &Value::from("not_the_approver")), "{answer}");
    let record = place.calibrate("cells", &place.run(&[5, 8]), &[]);
    let forged = place.service.scratch().join("forged.point");
    fs::write(&forged, fs::read_to_string(&record).unwrap().replace("\"threshold\": ", "\"threshold\": 0"))
        .unwrap();
    assert_eq!(place.approve(&forged).unwrap_err().1["error"]["code"], "operating_point_not_valid");
    let point = place.approve(&record).unwrap()["operating_point"].clone();
    let id = point["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (point["state"].as_str(), point["threshold"].as_f64()),
        (Some("in_force"), Some(place.threshold))
    );
    assert_eq!(place.approve(&record).unwrap_err().1["error"]["code"], "operating_point_exists");

    // In force: only candidates at or above the threshold, each with its meaning.
    for flags in [&["--identification"][..], &["--threshold", &threshold], &["--operating-point", &id]] {
        let found = place.search("cells", flags).unwrap();
        assert_eq!(found["mode"], "identification");
        assert_eq!(found["operating_points"][0]["operating_point"]["id"], *id);
        let shown = found["candidates"].as_array().unwrap();
        let expected: Vec<&Value> = list["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|candidate| candidate["similarity"].as_f64().unwrap() >= place.threshold)
            .collect();
        assert!(!expected.is_empty() && expected.len() < 6, "the test needs both: {list}");
        assert_eq!(shown.len(), expected.len());
        for (shown, expected) in shown.iter().zip(expected) {
            assert_eq!(shown["image_id"], expected["image_id"]);
            let meaning = &shown["meaning"];
            // Six images today, measured at 8: the next larger gallery stands in.
            assert_eq!((&meaning["gallery_size"], &meaning["measured_gallery_size"]), (&6.into(), &8.into()));
            let similarity = shown["similarity"].as_f64().unwrap();
            let step = place.steps.iter().rev().find(|(threshold, ..)| *threshold <= similarity).unwrap();
            assert_eq!(meaning["false_positives"], step.1, "{meaning}");
            assert_eq!(meaning["fpir"].as_f64(), Some(step.1 as f64 / 1000.0));
            assert!(meaning["low"].as_f64() <= meaning["fpir"].as_f64());
            assert!(meaning["high"].as_f64() > meaning["fpir"].as_f64());
        }
    }
    // The rank list now knows what its similarities mean, and the demonstration is silent; table and page say so too.
    let list = place.search("cells", &[]).unwrap();
    assert_eq!(list["candidates"].as_array().unwrap().len(), 6);
    let meaning = &list["candidates"][5]["meaning"];
    assert_eq!(
        (&meaning["measured"], &meaning["approved"], &meaning["demonstration"]),
        (&true.into(), &true.into(), &false.into())
    );
    assert!(!list.to_string().contains("DEMONSTRATION"), "{list}");
    let page = place.service.scratch().join("page.html");
    let mut line =
        vec!["search", &place.probe, "--pool", "cells", "--identification", "--html", page.to_str().unwrap()];
    line.extend(["--purpose", "criminal_investigation", "--justification", "suspect leaving the scene"]);
    line.extend(["--reference", "OP-1", "--source", "cctv"]);
    let table = place.service.ok(&line);
    let page = fs::read_to_string(page).unwrap();
    for text in [&table, &page] {
        assert!(text.contains("somebody scored this high or higher") && text.contains(&id), "{text}");
    }

    // Anything else is still refused, with the reason.
    let said = place.refused("cells", &["--threshold", &format!("{threshold}1")]);
    assert!(said.contains(&format!("its threshold is {threshold}, not {threshold}1")), "{said}");
    place.service.ok(&["pool", "create", "persons", "--kind", "person"]);
    let said = place.refused("persons", &["--identification"]);
    assert!(said.contains("it is not for `person` pools"), "{said}");
    // Whoever has calibrated does not fall back on the demonstration where the record does not reach.
    let persons = place.service.scratch().join("persons");
    faces::folder(&persons, 2..4, 1);
    place.service.ok(&["enrol", "--pool", "persons", persons.to_str().unwrap()]);
    let list = place.search("persons", &[]).unwrap();
    assert_eq!(list["candidates"][0]["meaning"]["measured"], false, "{list}");
    let wrong = place.search("cells", &["--threshold", "NaN"]).unwrap_err();
    assert_eq!(wrong.1["error"]["code"], "invalid_field");

    // It survives a restart. A larger gallery than was measured, it does not cover.
    place.service.stop();
    place.service.serve();
    assert_eq!(place.search("cells", &["--identification"]).unwrap()["mode"], "identification");
    let more = place.service.scratch().join("more");
    faces::folder(&more, 10..13, 1);
    place.service.ok(&["enrol", "--pool", "cells", more.to_str().unwrap()]);
    let said = place.refused("cells", &["--identification"]);
    assert!(said.contains("it holds for 1 to 8 searchable images, the pool has 9"), "{said}");
    let outside = place.search("cells", &[]).unwrap();
    let text = outside["candidates"][0]["meaning"]["text"].as_str().unwrap();
    assert!(text.contains("the largest gallery measured had 8"), "{text}");
    place.service.ok(&["audit", "verify"]);
}

#[test]
fn other_spaces_synthetic_data_and_revoked_points_are_refused() {
    let mut place = Place::new();
    let foreign = "0".repeat(64);
    let record = place.calibrate("foreign", &MadeUp { space: &foreign, ..place.run(&[20]) }, &[]);
    assert_eq!(place.approve(&record).unwrap()["operating_point"]["state"], "other_algorithm");
    let said = place.refused("cells", &["--identification"]);
    assert!(said.contains("measured with another algorithm"), "{said}");

    // Synthetic data: not even approved, unless the server is told that it is a demonstration.
    let synthetic = place.calibrate("synthetic", &MadeUp { synthetic: true, ..place.run(&[20]) }, &[]);
    let (_, answer) = place.approve(&synthetic).unwrap_err();
    assert_eq!(answer["error"]["code"], "demonstration_operating_point", "{answer}");
    place.service.stop();
    let config = place.service.data().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let allowed =
        text.replace("demonstration_operating_points = false", "demonstration_operating_points = true");
    assert_ne!(text, allowed);
    fs::write(&config, allowed).unwrap();
    place.service.serve();
    let id = place.approve(&synthetic).unwrap()["operating_point"]["id"].as_str().unwrap().to_owned();
    let found = place.search("cells", &["--identification"]).unwrap();
    assert!(found["mode_meaning"].as_str().unwrap().contains("DEMONSTRATION"), "{found}");
    assert_eq!(found["candidates"][0]["meaning"]["demonstration"], true);
    // Forbidden again, what was approved for the demonstration is not used.
    place.service.stop();
    fs::write(&config, text).unwrap();
    place.service.serve();
    let said = place.refused("cells", &["--operating-point", &id]);
    assert!(said.contains("not for operational use"), "{said}");

    // Revoked is revoked, also after a restart.
    let record = place.calibrate("real", &place.run(&[20]), &[]);
    let id = place.approve(&record).unwrap()["operating_point"]["id"].as_str().unwrap().to_owned();
    place.search("cells", &["--operating-point", &id]).unwrap();
    place.service.ok(&["operating-point", "revoke", &id, "--reason", "a camera was replaced"]);
    place.service.stop();
    place.service.serve();
    let said = place.refused("cells", &["--operating-point", &id]);
    assert!(said.contains("it is revoked"), "{said}");
    let shown = place.service.json(&["operating-point", "show", &id, "--json"]);
    assert_eq!(shown["operating_point"]["revocation_reason"], "a camera was replaced");
    let listed = place.service.ok(&["operating-point", "list"]);
    assert!(listed.contains("revoked") && listed.contains("synthetic data"), "{listed}");

    // A file that was not approved here, or was changed, stops the start.
    place.service.stop();
    let points = place.service.data().join("points");
    let file = points.join(format!("{id}.json"));
    let intact = fs::read_to_string(&file).unwrap();
    fs::write(&file, intact.replace("custody", "person")).unwrap();
    let output =
        place.service.command(&["serve", "--data", place.service.data().to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success(), "a server with a forged threshold started");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&id) && said.contains("approve the record again"), "{said}");
    fs::write(&file, intact).unwrap();
    place.service.serve();
    place.service.ok(&["audit", "verify"]);
}
