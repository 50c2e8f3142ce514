//! One-to-one protocols: which images are compared with which, and whether they show one person.
//!
//! | layout | file | sides |
//! |---|---|---|
//! | [`PairLayout::Csv`] | `file_x,file_y,Decision` | images in a folder |
//! | [`PairLayout::Lfw`] | LFW's `pairs.txt`, one fold or ten | `<person>/<person>_0001.jpg` |
//! | [`PairLayout::InsightfaceBin`] | a pickled pair set: encoded images and labels in one file | images in the file |
//! | [`PairLayout::Cfp`] | a folder of CFP's `Protocol/Split` | images of its two lists |
//! | [`PairLayout::AgeDb`] | two names and 0 or 1 a line, names as AgeDB has them | images, with age and sex |
//! | [`PairLayout::Ijb`] | template CSVs and a list of template pairs | templates of several images |
mod agedb;
mod cfp;
mod csv_pairs;
mod ijb;
mod lfw;
mod pickle;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::malformed::{Place, ReadError};

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file of its own, or the image of an ANSI/NIST-ITL file.
    File(PathBuf),
    /// Held by the protocol file: an encoded image.
    Bytes(Arc<[u8]>),
}

/// An image of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Name for score files.
    pub name: String,
    /// Where it is.
    pub source: Source,
    /// Left, top, width, height of the face that is meant, in pixels, where the protocol says so.
    pub face: Option<[f32; 4]>,
}

/// One side of a comparison: one image, or the images of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Name for score files.
    pub name: String,
    /// Who it is, where the protocol says so.
    pub subject: Option<String>,
    /// Labels in the order of [`Protocol::attributes`]; an empty text is none.
    pub labels: Vec<String>,
    /// Numbers of its images.
    pub images: Vec<u32>,
}

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Number of the side that is the probe.
    pub one: u32,
    /// Number of the other side.
    pub other: u32,
    /// True when both show one person.
    pub mated: bool,
    /// Fold of cross validation, from 1; 0 without folds.
    pub fold: u16,
}

/// A whole protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Protocol {
    /// Every image once.
    pub images: Vec<Image>,
    /// Every side once.
    pub sides: Vec<Side>,
    /// In the order of the file.
    pub trials: Vec<Trial>,
    /// Names of demographic attributes.
    pub attributes: Vec<String>,
}

/// Layout of a pair list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairLayout {
    /// Told by the name: `.csv`, `.txt` (LFW), `.bin`, or a folder (CFP).
    #[default]
    Auto,
    /// `file_x,file_y,Decision`.
    Csv,
    /// LFW.
    Lfw,
    /// A pickled pair set.
    InsightfaceBin,
    /// CFP.
    Cfp,
    /// AgeDB.
    AgeDb,
    /// Template CSV and matches: the list is `matches.csv`, the templates lie beside it in `templates.csv`.
    Ijb,
}

impl std::str::FromStr for PairLayout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "csv" => Self::Csv,
            "lfw" => Self::Lfw,
            "insightface-bin" => Self::InsightfaceBin,
            "cfp" => Self::Cfp,
            "age-db" | "agedb" => Self::AgeDb,
            "ijb" => Self::Ijb,
            other => {
                return Err(format!(
                    "`{other}` is no layout; there are auto, csv, lfw, insightface-bin, cfp, agedb and ijb"
                ));
            }
        })
    }
}

/// Reads a protocol. `images` is the folder that its names are relative to.
///
/// # Errors
/// [`ReadError`] with file, place and field.
pub fn read_protocol(list: &Path, images: Option<&Path>, layout: PairLayout) -> Result<Protocol, ReadError> {
    let ending = list.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let layout = match layout {
        PairLayout::Auto if list.is_dir() => PairLayout::Cfp,
        PairLayout::Auto => match ending.as_str() {
            "bin" => PairLayout::InsightfaceBin,
            "txt" => PairLayout::Lfw,
            _ => PairLayout::Csv,
        },
        stated => stated,
    };
    let folder = images.or(list.parent()).unwrap_or(Path::new("."));
    let protocol = match layout {
        PairLayout::Auto | PairLayout::Csv => csv_pairs::read(list, folder)?,
        PairLayout::Lfw => lfw::read(list, folder)?,
        PairLayout::InsightfaceBin => pickle::read(list)?,
        PairLayout::Cfp => cfp::read(list)?,
        PairLayout::AgeDb => agedb::read(list, folder)?,
        PairLayout::Ijb => ijb::read(list, folder)?,
    };
    if protocol.trials.is_empty() {
        return Err(ReadError::malformed(list, Place::Whole, "pairs", "there are none"));
    }
    Ok(protocol)
}

/// Collects images and sides of single images, each once.
#[derive(Default)]
struct Builder {
    protocol: Protocol,
    known: std::collections::HashMap<String, u32>,
}

impl Builder {
    /// The side of the image with this name; made by the first mention.
    fn side(&mut self, name: &str, make: impl FnOnce() -> (PathBuf, Option<String>, Vec<String>)) -> u32 {
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        let number = u32::try_from(self.protocol.sides.len()).unwrap_or(u32::MAX);
        let (path, subject, labels) = make();
        let image = Image { name: name.to_owned(), source: Source::File(path), face: None };
        self.protocol.images.push(image);
        self.protocol.sides.push(Side { name: name.to_owned(), subject, labels, images: vec![number] });
        self.known.insert(name.to_owned(), number);
        number
    }
}
