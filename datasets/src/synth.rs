//! Writes a folder per synthetic person, with a manifest.
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use thiserror::Error;

use crate::{Capture, EncodeError, Person, encode_jpeg, manifest::Row, render};

/// What kind of captures to render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Cooperative portraits.
    Plain,
    /// CCTV-like stills.
    Cctv,
}

/// What to render.
#[derive(Debug, Clone)]
pub struct Order {
    /// Seed of the family of persons.
    pub seed: u64,
    /// Indexes of the persons.
    pub persons: Range<u64>,
    /// Numbers of the captures; number `n` of a person is always the same picture.
    pub captures: Range<u32>,
    /// Kind of captures.
    pub style: Style,
    /// JPEG quality of the files, 1 to 100.
    pub quality: u8,
}

/// Why a data set could not be written.
#[derive(Debug, Error)]
pub enum SynthError {
    /// A file or folder could not be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest could not be written.
    #[error("cannot write the manifest: {0}")]
    Manifest(#[from] csv::Error),
    /// The encoder refused.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Renders `order` into `out/person-NNNNNN/capture-N.jpg` and `out/manifest.csv`, on every core; `done` is called after each image.
/// Returns the number of images.
///
/// # Errors
/// [`SynthError`] at the first file that cannot be written.
pub fn write(out: &Path, order: &Order, done: impl Fn() + Sync) -> Result<usize, SynthError> {
    let wrote = |path: &Path| {
        let path = path.to_path_buf();
        move |source| SynthError::Write { path, source }
    };
    fs::create_dir_all(out).map_err(wrote(out))?;
    let rows: Vec<Vec<Row>> = order
        .persons
        .clone()
        .into_par_iter()
        .map(|index| {
            let person = Person::from_seed(order.seed, index);
            let subject = format!("person-{index:06}");
            let folder = out.join(&subject);
            fs::create_dir_all(&folder).map_err(wrote(&folder))?;
            order
                .captures
                .clone()
                .map(|number| {
                    let (capture, circumstance) = match order.style {
                        Style::Plain => (Capture::plain(order.seed, &person, number), "synthetic_plain"),
                        Style::Cctv => (Capture::cctv(order.seed, &person, number), "synthetic_cctv"),
                    };
                    let name = format!("capture-{}.jpg", number + 1);
                    let path = folder.join(&name);
                    fs::write(&path, encode_jpeg(&render(&person, &capture), order.quality)?)
                        .map_err(wrote(&path))?;
                    done();
                    Ok(Row::of(&person, &subject, &format!("{subject}/{name}"), number, circumstance))
                })
                .collect()
        })
        .collect::<Result<_, SynthError>>()?;
    let mut manifest = csv::Writer::from_path(out.join("manifest.csv"))?;
    let mut images = 0;
    for row in rows.iter().flatten() {
        manifest.serialize(row)?;
        images += 1;
    }
    manifest.flush().map_err(wrote(&out.join("manifest.csv")))?;
    Ok(images)
}
