//! Where the models, the runtime and the shared material are.
use std::path::{Path, PathBuf};

use likeness_matcher::{Matcher, MatcherOptions};
use likeness_models::{DEFAULT_PACK, Home, Pack};

/// The home of this machine. Its absence is a failure: `make test` installs it first.
pub(crate) fn home() -> Home {
    Home::locate().expect("a home")
}

pub(crate) fn library() -> PathBuf {
    home().runtime_library().unwrap_or_else(|error| panic!("{error}: run `make setup`"))
}

pub(crate) fn pack() -> Pack {
    Pack::open(&home(), DEFAULT_PACK).unwrap_or_else(|error| panic!("{error}: run `make setup`"))
}

pub(crate) fn matcher(sessions: usize) -> Matcher {
    open(&pack(), sessions)
}

pub(crate) fn open(pack: &Pack, sessions: usize) -> Matcher {
    let options = MatcherOptions { sessions, ..MatcherOptions::default() };
    Matcher::open(pack, &library(), &options).expect("the matcher opens")
}

/// A file or folder of the shared material, or nothing after saying why the test is skipped.
pub(crate) fn shared(inside: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("LIKENESS_SHARED").map_or(beside, PathBuf::from);
    let path = folder.join(inside);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: `{inside}` is neither in ../shared nor in $LIKENESS_SHARED");
    None
}
