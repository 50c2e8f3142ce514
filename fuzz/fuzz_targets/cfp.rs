#![no_main]
use likeness_datasets::{PairLayout, protocol::read_protocol};

// The list of images, then the pairs.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (list, pairs) = likeness_fuzz::two(bytes);
    let files = [
        ("Protocol/Pair_list_F.txt", list),
        ("Protocol/Split/FF/01/same.txt", pairs),
        ("Protocol/Split/FF/01/diff.txt", b"1,1\n"),
    ];
    likeness_fuzz::with_files(&files, |folder| {
        drop(read_protocol(&folder.join("Protocol/Split/FF"), None, PairLayout::Cfp));
    });
});
