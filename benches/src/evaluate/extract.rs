//! Templates of many images: on every core, and where an interrupted run left off.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use likeness_datasets::protocol::{Image, Source};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::algorithm::{Algorithm, Made, Role};
use super::progress;

/// One image, worked through.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// SHA-256 of the image's bytes.
    pub sha256: String,
    /// Template or refusal, and quality.
    pub made: Made,
}

/// A line of the journal. It holds templates, so it lies in the working folder and goes with it.
#[derive(Serialize, Deserialize)]
struct Line {
    at: usize,
    sha256: String,
    template: Option<String>,
    refusal: Option<String>,
    quality: Vec<u8>,
}

/// Makes a template of each image; one result per image, in their order. What the journal already has for the same
/// bytes is not made again.
///
/// # Errors
/// When an image cannot be read, the algorithm fails, or the journal cannot be written.
pub fn extract(
    algorithm: &dyn Algorithm,
    images: &[Image],
    role: Role,
    what: &str,
    work: &Path,
) -> anyhow::Result<Vec<Extracted>> {
    let path = work.join(format!("{what}.journal"));
    let known = known(&path)?;
    let journal = OpenOptions::new().create(true).append(true).open(&path);
    let journal = Mutex::new(journal.with_context(|| format!("cannot write `{}`", path.display()))?);
    let bar = progress::bar(what, images.len() as u64);
    let one = |(at, image): (usize, &Image)| -> anyhow::Result<Extracted> {
        let bytes = read(image)?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        if let Some(line) = known.get(&at).filter(|line| line.sha256 == sha256) {
            bar.inc(1);
            return Ok(Extracted { made: made(line)?, sha256 });
        }
        let made =
            algorithm.make(&bytes, image.face, role).with_context(|| format!("at image `{}`", image.name))?;
        let line = Line {
            at,
            sha256: sha256.clone(),
            template: made.template.as_ref().ok().map(|template| STANDARD.encode(template)),
            refusal: made.template.as_ref().err().cloned(),
            quality: made.quality.clone(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        journal.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)?;
        bar.inc(1);
        Ok(Extracted { sha256, made })
    };
    let extracted = images.par_iter().enumerate().map(|(at, image)| one((at, image))).collect();
    bar.finish_and_clear();
    extracted
}

/// The bytes of an image: of an ANSI/NIST-ITL file, those of the face record in it.
///
/// # Errors
/// When it cannot be read.
pub fn read(image: &Image) -> anyhow::Result<Vec<u8>> {
    match &image.source {
        Source::Bytes(bytes) => Ok(bytes.to_vec()),
        Source::File(path) => Ok(likeness_datasets::image_bytes(path)?),
    }
}

/// An image in a file of its own.
#[must_use]
pub fn image_file(name: String, path: PathBuf) -> Image {
    Image { name, source: Source::File(path), face: None }
}

/// What an interrupted run has written. A last line that was cut off is not counted, and removed.
fn known(path: &Path) -> anyhow::Result<HashMap<usize, Line>> {
    let Ok(file) = File::open(path) else { return Ok(HashMap::new()) };
    let mut found = HashMap::new();
    let mut good = 0;
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text)? as u64;
        match serde_json::from_slice::<Line>(&text) {
            Ok(line) if text.ends_with(b"\n") => {
                found.insert(line.at, line);
                good += read;
            }
            _ => break,
        }
    }
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(good)?;
    Ok(found)
}

fn made(line: &Line) -> anyhow::Result<Made> {
    let template = match (&line.template, &line.refusal) {
        (Some(template), _) => {
            Ok(STANDARD.decode(template).context("the journal of the interrupted run is damaged")?)
        }
        (None, refusal) => Err(refusal.clone().unwrap_or_default()),
    };
    Ok(Made { template, quality: line.quality.clone() })
}

/// Digest of a data set: over the label and the digest of every file, in order.
#[must_use]
pub fn dataset_digest<'a>(files: impl Iterator<Item = (String, &'a Extracted)>) -> String {
    let mut sha = Sha256::new();
    sha.update(b"likeness-dataset-1\0");
    for (label, extracted) in files {
        for part in [label.as_str(), &extracted.sha256] {
            sha.update((part.len() as u64).to_le_bytes());
            sha.update(part.as_bytes());
        }
    }
    hex::encode(sha.finalize())
}

/// Removes a journal that is not needed any more, so that templates do not lie about.
///
/// # Errors
/// When it cannot be removed.
pub fn forget(work: &Path, what: &str) -> anyhow::Result<()> {
    let path = work.join(format!("{what}.journal"));
    fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))
}
