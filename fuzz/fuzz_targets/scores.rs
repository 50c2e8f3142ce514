#![no_main]
use likeness_datasets::scores::read_scores;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    likeness_fuzz::with_files(&[("fuzz.csv", bytes)], |folder| {
        drop(read_scores(&folder.join("fuzz.csv"), || {}))
    });
});
