#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{PullError, PullEvent, PullItem, PullOptions, pull, pull_pack, pull_runtime};
use crate::home::Home;
use crate::import::{ImportError, PACKAGE_FILE};
use crate::pack::Pack;
use crate::runtime::WheelError;

/// Nothing is fetched from an empty folder, so this works only with all there already.
#[test]
fn a_second_pull_needs_no_network() {
    let home = Home::locate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = PullOptions { from: Some(folder.path().to_owned()) };
    let mut events = Vec::new();
    let Ok(pulled) = pull(&home, &options, &mut |event| events.push(event)) else {
        panic!("ONNX Runtime and the default pack are needed: run `make setup`");
    };
    assert!(pulled.runtime.is_file());
    assert_eq!(pulled.pack.name.as_str(), crate::DEFAULT_PACK);
    assert_eq!(events.last(), Some(&PullEvent::Present(PullItem::FaceApi)));
    assert!(
        !events.iter().any(|event| matches!(event, PullEvent::Fetching { .. } | PullEvent::Importing(_)))
    );
}

#[test]
fn what_is_lacking_and_not_there_is_named_and_nothing_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    for from in [folder.path().to_owned(), folder.path().join("absent")] {
        let options = PullOptions { from: Some(from) };
        let events = &mut |event| assert!(!matches!(event, PullEvent::Fetching { .. }));
        assert!(matches!(
            pull_runtime(&home, &options, events),
            Err(PullError::NotThere { .. } | PullError::Runtime(_)) | Ok(_)
        ));
        assert!(matches!(pull_pack(&home, &options, events), Err(PullError::NotThere { .. })));
    }
}

#[test]
fn a_tampered_package_or_wheel_installs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    std::fs::write(folder.path().join(PACKAGE_FILE), b"tampered").unwrap();
    let wheel = format!("onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_{}.whl", std::env::consts::ARCH);
    // An empty zip archive.
    std::fs::write(folder.path().join(wheel), [b"PK\x05\x06".as_slice(), &[0; 18]].concat()).unwrap();
    let options = PullOptions { from: Some(folder.path().to_owned()) };
    let error = pull_pack(&home, &options, &mut |_| {}).unwrap_err();
    assert!(matches!(error, PullError::Import(ImportError::Integrity { .. })), "{error}");
    let refused = pull_runtime(&home, &options, &mut |_| {});
    assert!(matches!(refused, Err(PullError::Wheel(WheelError::NotPinned) | PullError::Runtime(_)) | Ok(_)));
    assert!(!home.path().exists(), "nothing is written before it is checked");
}

#[test]
fn a_pack_of_another_space_under_the_default_name_is_not_replaced() {
    let (folder, home) = crate::synthetic::home_with(crate::DEFAULT_PACK);
    let before = Pack::open(&home, crate::DEFAULT_PACK).unwrap().space_id();
    let options = PullOptions { from: Some(folder.path().to_owned()) };
    assert!(matches!(pull_pack(&home, &options, &mut |_| {}), Err(PullError::OtherSpace { .. })));
    assert_eq!(Pack::open(&home, crate::DEFAULT_PACK).unwrap().space_id(), before);
}

/// The whole way, given the package: `LIKENESS_FACE_API_PACKAGE` names the file that `npm pack` leaves.
#[test]
fn an_altered_pack_is_repaired_from_the_package() {
    let Some(package) = std::env::var_os("LIKENESS_FACE_API_PACKAGE") else {
        eprintln!("skipped: LIKENESS_FACE_API_PACKAGE names no npm package to import");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(package, folder.path().join(PACKAGE_FILE)).unwrap();
    let home = Home::at(folder.path().join("home"));
    let options = PullOptions { from: Some(folder.path().join(PACKAGE_FILE)) };
    let space = pull_pack(&home, &options, &mut |_| {}).unwrap().space_id();
    std::fs::write(home.path().join("packs/face-api/embedder.onnx"), b"altered").unwrap();
    let mut events = Vec::new();
    let repaired = pull_pack(&home, &options, &mut |event| events.push(event)).unwrap();
    assert_eq!(repaired.space_id(), space);
    assert_eq!(events[0], PullEvent::Repairing(PullItem::FaceApi));
    assert_eq!(Pack::open(&home, crate::DEFAULT_PACK).unwrap().space_id(), space);
}
