#![no_main]
use std::fs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("templates.csv");
    if fs::write(&file, bytes).is_ok() {
        drop({ drop(fs::write(folder.path().join("matches.csv"), "1,2\n")); likeness_datasets::protocol::read_protocol(&folder.path().join("matches.csv"), None, likeness_datasets::PairLayout::Ijb) });
    }
});
