#![no_main]
use likeness_datasets::{PairLayout, protocol::read_protocol};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    likeness_fuzz::with_files(&[("fuzz.txt", bytes)], |folder| {
        drop(read_protocol(&folder.join("fuzz.txt"), None, PairLayout::Lfw));
    });
});
