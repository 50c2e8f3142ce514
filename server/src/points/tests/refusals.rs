//! What a run cannot support is refused, with what would be needed.
use super::*;

type Spoil = fn(&mut Value);

#[test]
fn a_folder_that_is_incomplete_or_changed_is_refused() {
    let folder = run_folder(&metrics());
    let read = || Run::read(folder.path());
    assert_eq!(read().unwrap().report_id().len(), 64);
    let metrics_file = folder.path().join("metrics.json");
    let intact = fs::read(&metrics_file).unwrap();
    let mut changed = intact.clone();
    changed[40] ^= 1;
    fs::write(&metrics_file, changed).unwrap();
    assert!(matches!(read(), Err(RunError::Changed(_))));
    fs::write(&metrics_file, &intact).unwrap();
    fs::write(folder.path().join("report.html"), "another").unwrap();
    assert!(matches!(read(), Err(RunError::Changed(_))));
    fs::write(folder.path().join("report.html"), "report").unwrap();
    read().unwrap();
    for sums in ["", "junk", "0000  ../../etc/passwd\n"] {
        fs::write(folder.path().join("SHA256SUMS"), sums).unwrap();
        assert!(matches!(read(), Err(RunError::Sums { .. })), "{sums}");
    }
    fs::remove_file(folder.path().join("SHA256SUMS")).unwrap();
    assert!(matches!(read(), Err(RunError::Read { .. })));
}

#[test]
fn another_schema_is_named_and_unknown_fields_are_tolerated() {
    let mut metrics = metrics();
    metrics["schema"] = "likeness-metrics-2".into();
    let folder = run_folder(&metrics);
    let said = Run::read(folder.path()).unwrap_err().to_string();
    assert!(said.contains("likeness-metrics-2"), "{said}");
    metrics["schema"] = "likeness-metrics-1".into();
    metrics["new_field"] = json!({ "a": 1 });
    write_run(folder.path(), &metrics);
    Run::read(folder.path()).unwrap();
    metrics["confidence"] = "high".into();
    write_run(folder.path(), &metrics);
    assert!(matches!(Run::read(folder.path()), Err(RunError::Malformed { .. })));
}

#[test]
fn what_the_run_cannot_support_is_refused() {
    let refused = |asked: &Calibration, spoil: Spoil| {
        let mut metrics = metrics();
        spoil(&mut metrics);
        calibrated(&metrics, asked).unwrap_err()
    };
    let nothing: Spoil = |_| {};
    let error = refused(&Calibration { target_fpir: 0.003, ..asked() }, nothing);
    assert!(matches!(error, CalibrateError::Unsupported { have: 1000, needed: 10_000, .. }), "{error}");
    let error = refused(&Calibration { gallery_to: Some(1501), ..asked() }, nothing);
    assert!(matches!(error, CalibrateError::GalleryTooLarge { largest: 1500, wanted: 1501 }), "{error}");
    let error = refused(&asked(), |metrics| metrics["searches"] = Value::Null);
    assert!(matches!(error, CalibrateError::NoSearches), "{error}");
    let error = refused(&asked(), |metrics| metrics["pack"] = Value::Null);
    assert!(matches!(error, CalibrateError::NoPack), "{error}");
    let error = refused(&asked(), |metrics| metrics["pack"]["space_id"] = Value::Null);
    assert!(matches!(&error, CalibrateError::ExternalMatcher(name) if name == "face-api"), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("no pool can be searched with it") && said.contains("likeness models add"),
        "{said}"
    );
    let without_groups: Spoil = |metrics| {
        for size in metrics["searches"]["sizes"].as_array_mut().unwrap() {
            size["cells"] = json!([]);
        }
    };
    let error = refused(&asked(), without_groups);
    assert!(matches!(error, CalibrateError::NoGroups { .. }), "{error}");
    let mut metrics = metrics();
    without_groups(&mut metrics);
    let stated = Calibration { without_groups: Some("no labels were collected".to_owned()), ..asked() };
    let point = calibrated(&metrics, &stated).unwrap();
    assert_eq!(point.worst.not_measured.as_deref(), Some("no labels were collected"));
    // Out of range in what is stated.
    for wrong in [
        Calibration { expires_on: "2026-02-28".parse().unwrap(), ..asked() },
        Calibration { expires_on: "2029-01-01".parse().unwrap(), ..asked() },
        Calibration { approver: " ".to_owned(), ..asked() },
        Calibration { pool_kinds: BTreeSet::new(), ..asked() },
        Calibration { gallery_from: 1501, ..asked() },
    ] {
        let error = refused(&wrong, nothing);
        assert!(matches!(error, CalibrateError::Invalid(_)), "{wrong:?}: {error}");
    }
}

#[test]
fn a_curve_that_contradicts_itself_is_no_record() {
    let spoils: [Spoil; 5] = [
        |metrics| metrics["searches"]["sizes"][1]["rows"][2]["threshold"] = 0.2.into(),
        |metrics| metrics["searches"]["sizes"][1]["rows"][4]["non_mated_with_candidate"] = 700.into(),
        |metrics| metrics["searches"]["sizes"][1]["rows"][0]["mated_missed"] = 999.into(),
        |metrics| metrics["searches"]["sizes"][0]["references"] = 2000.into(),
        |metrics| metrics["pack"]["space_id"] = "xyz".into(),
    ];
    for spoil in spoils {
        let mut metrics = metrics();
        spoil(&mut metrics);
        assert!(matches!(calibrated(&metrics, &asked()), Err(CalibrateError::Invalid(_))));
    }
}
