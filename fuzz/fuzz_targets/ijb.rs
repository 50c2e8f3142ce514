#![no_main]
use likeness_datasets::{PairLayout, protocol::read_protocol};

// The templates, then the matches.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (templates, matches) = likeness_fuzz::two(bytes);
    likeness_fuzz::with_files(&[("templates.csv", templates), ("matches.csv", matches)], |folder| {
        drop(read_protocol(&folder.join("matches.csv"), None, PairLayout::Ijb));
    });
});
