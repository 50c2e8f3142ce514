#![no_main]
use std::fs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("fuzz.parquet");
    if fs::write(&file, bytes).is_ok() {
        drop(likeness_datasets::read_people(&file));
    }
});
