#![no_main]
use std::fs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let root = folder.path().join("Protocol");
    let split = root.join("Split/FF");
    // The first half is the list of images, the second the pairs.
    let (list, pairs) = bytes.split_at(bytes.len() / 2);
    let written = fs::create_dir_all(split.join("01"))
        .and_then(|()| fs::write(root.join("Pair_list_F.txt"), list))
        .and_then(|()| fs::write(split.join("01/same.txt"), pairs))
        .and_then(|()| fs::write(split.join("01/diff.txt"), "1,1\n"));
    if written.is_ok() {
        drop(likeness_datasets::protocol::read_protocol(&split, None, likeness_datasets::PairLayout::Cfp));
    }
});
