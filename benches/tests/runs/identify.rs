//! `identify`: galleries of images and of templates.
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{bench, metrics, refused, succeeds, synthetic, text};

struct Sets {
    folder: tempfile::TempDir,
}

impl Sets {
    /// Twelve people enrolled, eight searched for with another capture, eight strangers.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        synthetic(&folder.path().join("gallery"), 0, 12, 0..1);
        synthetic(&folder.path().join("mated"), 0, 8, 1..2);
        synthetic(&folder.path().join("nonmated"), 100, 8, 0..1);
        Self { folder }
    }

    fn arguments(&self, out: &Path) -> Vec<String> {
        let at = |name: &str| text(&self.folder.path().join(name)).to_owned();
        let given = [
            ("--gallery", at("gallery")),
            ("--mated", at("mated")),
            ("--nonmated", at("nonmated")),
            ("--out", text(out).to_owned()),
            ("--pack", "face-api".to_owned()),
        ];
        let mut arguments = vec!["identify".to_owned()];
        given.into_iter().for_each(|(name, value)| arguments.extend([name.to_owned(), value]));
        arguments
    }

    fn run(&self, out: &Path) {
        succeeds(&self.arguments(out).iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn folders_of_people_become_a_report_and_failures_count() {
    let sets = Sets::new();
    // One enrolled person without a usable image, and one stranger's probe without a face.
    let blank = image::RgbImage::from_pixel(300, 300, image::Rgb([90, 90, 90]));
    blank.save(sets.folder.path().join("gallery/person-000003/capture-1.jpg")).unwrap();
    blank.save(sets.folder.path().join("nonmated/person-000101/capture-1.jpg")).unwrap();
    let out = sets.folder.path().join("out");
    sets.run(&out);
    let found = metrics(&out);
    let counts = &found["counts"];
    assert_eq!(
        (&counts["references"]["subjects"], &counts["references"]["subjects_failed"]),
        (&12.into(), &1.into())
    );
    assert_eq!(
        (&counts["non_mated_probes"]["images_failed"], &counts["refusals"]["no_face"]),
        (&1.into(), &2.into())
    );
    assert_eq!(found["dataset"]["synthetic"], true, "the manifests say so");
    let size = &found["searches"]["sizes"].as_array().unwrap().last().unwrap().clone();
    // Who failed to enrol stays in N, and is missed; a probe that failed is a search without candidates.
    assert_eq!(
        (&size["subjects"], &size["mated_searches"], &size["non_mated_searches"]),
        (&12.into(), &8.into(), &8.into())
    );
    let anywhere = size["cmc"].as_array().unwrap().last().unwrap().clone();
    assert!(anywhere["missed"].as_u64().unwrap() >= 1, "{anywhere}");
    assert!(size["rows"][0]["non_mated_with_candidate"].as_u64().unwrap() <= 7);
    assert!(size["cells"].as_array().unwrap().iter().any(|cell| cell["by"][0] == "sex"));
    let again = sets.folder.path().join("again");
    succeeds(&["run", text(&out.join("run.toml")), "--out", text(&again)]);
    for name in ["metrics.json", "report.html", "scores.csv", "scores.parquet"] {
        assert!(fs::read(out.join(name)).unwrap() == fs::read(again.join(name)).unwrap(), "{name} differs");
    }
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_results() {
    let sets = Sets::new();
    let (straight, broken) = (sets.folder.path().join("straight"), sets.folder.path().join("broken"));
    sets.run(&straight);
    let arguments = sets.arguments(&broken);
    let mut child = bench(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap();
    let journal = broken.join("incomplete/gallery templates.journal");
    let end = Instant::now() + Duration::from_secs(60);
    while fs::metadata(&journal).map_or(0, |file| file.len()) == 0 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!broken.join("SHA256SUMS").exists(), "the run was over before it could be interrupted");
    assert!(fs::metadata(&journal).unwrap().len() > 0);
    sets.run(&broken);
    assert!(
        fs::read(straight.join("metrics.json")).unwrap() == fs::read(broken.join("metrics.json")).unwrap()
    );
    assert!(fs::read_to_string(broken.join("circumstances.json")).unwrap().contains("\"resumed\": true"));
    assert!(!broken.join("incomplete").exists(), "templates do not stay behind");
}

#[test]
fn probe_sets_that_contradict_the_gallery_are_refused_before_any_work() {
    let sets = Sets::new();
    let strangers = sets.folder.path().join("nonmated");
    fs::rename(strangers.join("person-000100"), strangers.join("person-000002")).unwrap();
    let out = sets.folder.path().join("out");
    let said = refused(&sets.arguments(&out).iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("`person-000002`") && said.contains("shows nobody enrolled"), "{said}");
}

#[test]
fn ready_made_templates_give_the_same_numbers_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text(&folder.path().join(name)).to_owned();
    succeeds(&[
        "templates",
        "--out",
        &at("made"),
        "--people",
        "3000",
        "--mated",
        "300",
        "--nonmated",
        "400",
        "--dimension",
        "32",
    ]);
    let mut found = Vec::new();
    for threads in ["1", "2", "5"] {
        let out = at(&format!("out-{threads}"));
        let arguments = [
            "identify",
            "--gallery",
            &at("made/gallery.npy"),
            "--mated",
            &at("made/mated.npy"),
            "--nonmated",
            &at("made/nonmated.npy"),
            "--out",
            &out,
            "--synthetic",
        ];
        let output = bench(&arguments).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", crate::said(&output));
        found.push(fs::read(Path::new(&out).join("metrics.json")).unwrap());
    }
    assert!(found.windows(2).all(|two| two[0] == two[1]), "metrics depend on the number of threads");
    let metrics: serde_json::Value = serde_json::from_slice(&found[0]).unwrap();
    let sizes = metrics["searches"]["sizes"].as_array().unwrap();
    assert_eq!(
        sizes.iter().map(|size| size["subjects"].as_u64().unwrap()).collect::<Vec<_>>(),
        [93, 187, 375, 750, 1500, 3000]
    );
    // More people, more strangers that look alike: at one threshold FPIR does not fall.
    let at_threshold = |size: &serde_json::Value, at: f64| {
        let rows = size["rows"].as_array().unwrap();
        let row = rows.iter().rev().find(|row| row["threshold"].as_f64().unwrap() <= at);
        row.map_or(400, |row| row["non_mated_with_candidate"].as_u64().unwrap())
    };
    let top = sizes[5]["operating_points"][0]["threshold"].as_f64().unwrap();
    assert!(at_threshold(&sizes[0], top) <= at_threshold(&sizes[5], top));
}
