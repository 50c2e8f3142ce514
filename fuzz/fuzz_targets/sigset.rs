#![no_main]
use likeness_datasets::read_people;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    likeness_fuzz::with_files(&[("fuzz.xml", bytes)], |folder| drop(read_people(&folder.join("fuzz.xml"))));
});
