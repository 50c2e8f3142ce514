#![no_main]
use std::path::Path;

use likeness_datasets::type10::parse_type10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(parse_type10(Path::new("fuzz.an2"), bytes)));
