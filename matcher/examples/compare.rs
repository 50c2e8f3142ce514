//! How alike are the faces in two photographs? `compare LEFT RIGHT`
use std::process::ExitCode;

use likeness_matcher::{Analysed, Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{DEFAULT_PACK, Home, Pack};

fn main() -> ExitCode {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let [left, right] = paths.as_slice() else {
        eprintln!("usage: compare LEFT RIGHT");
        return ExitCode::from(2);
    };
    match compare(left.as_ref(), right.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(left: &std::path::Path, right: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let home = Home::locate()?;
    let pack = Pack::open(&home, DEFAULT_PACK)?;
    let options = MatcherOptions { sessions: 1, ..MatcherOptions::default() };
    let matcher = Matcher::open(&pack, &home.runtime_library()?, &options)?;
    let analyse = |path: &std::path::Path| -> Result<Analysed, Box<dyn std::error::Error>> {
        let shown = path.display();
        let bytes = std::fs::read(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
        let analysed = matcher
            .analyse(&bytes, &Selection::Only, &QualityPolicy::default())
            .map_err(|error| format!("`{shown}`: {error}"))?;
        for component in &analysed.quality.flags {
            println!("`{shown}`: poor {component}");
        }
        Ok(analysed)
    };
    let (left, right) = (analyse(left)?, analyse(right)?);
    let similarity = left.embedding.similarity(&right.embedding, matcher.metric())?;
    let threshold = matcher.threshold();
    println!(
        "similarity {similarity:.4}; the pack's threshold is {}: {}",
        threshold.similarity, threshold.meaning
    );
    Ok(())
}
