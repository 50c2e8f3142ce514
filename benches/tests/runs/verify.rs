//! `verify` and `compare`: images against images, by a pack and by an external matcher.
use std::fs;
use std::path::{Path, PathBuf};

use crate::{metrics, python, succeeds, synthetic, text};

/// Six people, two captures each: six mated pairs and six of neighbours.
fn pairs(folder: &Path) -> PathBuf {
    let images = folder.join("faces");
    synthetic(&images, 0, 6, 0..2);
    let mut list = "file_x,file_y,Decision\n".to_owned();
    for person in 0..6 {
        let next = (person + 1) % 6;
        list += &format!("person-{person:06}/capture-1.jpg,person-{person:06}/capture-2.jpg,Yes\n");
        list += &format!("person-{person:06}/capture-1.jpg,person-{next:06}/capture-1.jpg,No\n");
    }
    let file = images.join("pairs.csv");
    fs::write(&file, list).unwrap();
    file
}

#[test]
fn pairs_of_images_become_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let list = pairs(folder.path());
    let images = list.parent().unwrap();
    let out = folder.path().join("out");
    let labels = images.join("manifest.csv");
    succeeds(&[
        "verify",
        "--pairs",
        text(&list),
        "--images",
        text(images),
        "--out",
        text(&out),
        "--pack",
        "face-api",
        "--synthetic",
        "--demographics",
        text(&labels),
        "--attributes",
        "sex",
        "--minimum-events",
        "1",
    ]);
    let found = metrics(&out);
    assert_eq!((&found["kind"], &found["dataset"]["synthetic"]), (&"verify".into(), &true.into()));
    let one = &found["comparisons"];
    assert_eq!((&one["mated"], &one["non_mated"]), (&6.into(), &6.into()));
    assert_eq!(one["at"][0]["why"], "the pack's own threshold");
    assert_eq!(found["quality"].as_array().unwrap().len(), 16, "fifteen measures and the lowest");
    let sexes: Vec<_> =
        one["cells"].as_array().unwrap().iter().map(|cell| cell["values"][0].as_str().unwrap()).collect();
    assert!(sexes.iter().all(|sex| ["female", "male"].contains(sex)) && !sexes.is_empty(), "{sexes:?}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("made by a generator") && page.contains("Error versus discard"));
}

#[test]
fn an_external_matcher_in_python_is_tested_like_a_pack_and_compared_with_one() {
    let Some(python) = python("base64") else { return };
    let folder = tempfile::tempdir().unwrap();
    let list = pairs(folder.path());
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("external/matcher.py");
    succeeds(&["verify", "--pairs", text(&list), "--out", text(&ours)]);
    succeeds(&[
        "verify",
        "--pairs",
        text(&list),
        "--out",
        text(&theirs),
        "--matcher",
        &python,
        text(&program),
    ]);
    let found = metrics(&theirs);
    assert_eq!(
        (&found["pack"]["name"], &found["comparisons"]["mated"]),
        (&"byte-histogram".into(), &6.into())
    );
    let page = folder.path().join("compare.html");
    succeeds(&["compare", text(&ours), text(&theirs), "--out", text(&page)]);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("champion: face-api") && page.contains("challenger: byte-histogram"));

    // The same program behind the one-to-many calls.
    let (gallery, mated, others) =
        (folder.path().join("gallery"), folder.path().join("mated"), folder.path().join("others"));
    synthetic(&gallery, 0, 4, 0..1);
    synthetic(&mated, 0, 4, 1..2);
    synthetic(&others, 10, 4, 0..1);
    let out = folder.path().join("identify");
    succeeds(&[
        "identify",
        "--gallery",
        text(&gallery),
        "--mated",
        text(&mated),
        "--nonmated",
        text(&others),
        "--out",
        text(&out),
        "--matcher",
        &python,
        text(&program),
    ]);
    let size = &metrics(&out)["searches"]["sizes"][0];
    assert_eq!(
        (&size["subjects"], &size["mated_searches"], &size["non_mated_searches"]),
        (&4.into(), &4.into(), &4.into())
    );
}
