//! One image to enrol, and what keeps one from being sent.

use std::{fmt, path::PathBuf};

use likeness_proto::v1::SubjectDetails;

/// One image and what is said about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// The caller's name for the person.
    pub subject: String,
    /// The caller's name for this image.
    pub source_reference: String,
    /// The file.
    pub file: PathBuf,
    /// YYYY-MM-DD, or empty.
    pub capture_date: String,
    /// For example `custody_suite`, or empty.
    pub capture_circumstance: String,
    /// Personal details, when a manifest gave any.
    pub details: Option<SubjectDetails>,
}

/// What a roll yields: an image to send, or a file that is not one.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// To be sent.
    Image(Box<Item>),
    /// Seen, reported and not sent.
    LeftOut {
        /// The file.
        file: PathBuf,
        /// Why.
        why: LeftOut,
    },
}

/// Why a file in the folder is not taken for an image of a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeftOut {
    /// Its name does not end like an image's.
    NotAnImageName,
    /// It lies beside the subject folders.
    NoSubjectFolder,
    /// It lies deeper than `FOLDER/<subject>/<image>`.
    TooDeep,
    /// Hidden, as editors and file managers make them.
    Hidden,
}

impl LeftOut {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAnImageName => "not_an_image_name",
            Self::NoSubjectFolder => "no_subject_folder",
            Self::TooDeep => "too_deep",
            Self::Hidden => "hidden_file",
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnImageName => "the name does not end in .jpg, .jpeg, .png, .webp, .bmp, .tif or .tiff",
            Self::NoSubjectFolder => {
                "the file lies beside the subject folders; expected `FOLDER/<subject>/<image>`"
            }
            Self::TooDeep => "the file lies deeper than `FOLDER/<subject>/<image>`",
            Self::Hidden => "the name begins with a dot",
        })
    }
}

/// Why an item could not be sent although it was meant to be.
#[derive(Debug, PartialEq)]
pub enum Unsendable {
    /// The file cannot be read.
    Unreadable(String),
    /// The file does not fit into a message.
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A name is not valid UTF-8, so no reference can be made of it.
    NameNotText,
}

impl Unsendable {
    /// A stable code, of the same kind as the service's.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file_unreadable",
            Self::TooLarge { .. } => "file_too_large",
            Self::NameNotText => "file_name_not_text",
        }
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "not sent: the file cannot be read: {why}"),
            Self::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "not sent: the file has {bytes} bytes, more than the {limit} that one message can carry"
                )
            }
            Self::NameNotText => {
                f.write_str("not sent: the folder or file name is not valid UTF-8; rename it")
            }
        }
    }
}
