//! Names that become parts of a path: anything that could leave its folder is not a name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ManifestError;

/// Name of a pack: 1 to 64 of `a-z 0-9 - _ .`, starting with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackName(String);

/// Name of a file beside the manifest: 6 to 128 of `A-Z a-z 0-9 - _ .`, starting with a letter or digit,
/// ending in `.onnx`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

fn plain(text: &str, longest: usize, allowed: impl Fn(u8) -> bool) -> bool {
    text.len() <= longest
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() && allowed(first))
        && text.bytes().all(allowed)
}

impl FromStr for PackName {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        if plain(text, 64, allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ManifestError::Invalid {
                field: "name",
                problem: format!(
                    "is `{}`: a pack name is 1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit",
                    shortened(text)
                ),
            })
        }
    }
}

impl FromStr for FileName {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if plain(text, 128, allowed) && text.len() > ".onnx".len() && text.ends_with(".onnx") {
            Ok(Self(text.to_owned()))
        } else {
            Err(ManifestError::Invalid {
                field: "file",
                problem: format!(
                    "is `{}`: a file name is letters, digits, `-`, `_` and `.`, ends in `.onnx` and names no folder",
                    shortened(text)
                ),
            })
        }
    }
}

/// The text is the user's own, and may be megabytes or hold control characters.
fn shortened(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

macro_rules! text_of {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ManifestError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

text_of!(PackName);
text_of!(FileName);
