//! How a client finds its server and its credentials: `profile.toml`, written by `likeness init`.
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::durable::{self, FileError};

/// A client's view of one server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `https://host:port`, or `http://` for a loopback server in plaintext.
    pub server: String,
    /// Certificate of the authority that signed the server's; absent for plaintext. In the file, relative to the profile's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Certificate of the calling system; absent for plaintext. In the file, relative to the profile's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its private key. In the file, relative to the profile's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The registered name of the calling system, sent with every request.
    pub system_name: String,
    /// The data directory when it is on this machine. In the file, relative to the profile's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The bearer token of the acting person. Whoever reads it can act as them.
    pub token: String,
    /// What `compare` states when the person gives no flags; recorded like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<ProfileDefaults>,
}

/// Purpose and justification for commands that may leave them out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDefaults {
    /// A purpose code.
    pub purpose: String,
    /// 8 to 1,000 characters.
    pub justification: String,
}

/// Why a profile cannot be read or written.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile `{}`; name one with --profile or LIKENESS_PROFILE, or make one with `likeness init`", path.display())]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The file is not a profile.
    #[error("the profile `{}` is not valid", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The profile cannot be put into TOML.
    #[error("the profile cannot be written")]
    Unwritable(#[from] toml::ser::Error),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Profile {
    /// Reads a profile; relative paths in it come back joined to its folder.
    ///
    /// # Errors
    /// [`ProfileError`] when the file is missing or has an unknown or missing key.
    pub fn read(path: &Path) -> Result<Profile, ProfileError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ProfileError::Unreadable { path: path.to_path_buf(), source })?;
        let mut profile: Profile = toml::from_str(&text).map_err(|source| ProfileError::Invalid {
            path: path.to_path_buf(),
            source: Box::new(without_input(source)),
        })?;
        let path = std::path::absolute(path)
            .map_err(|source| ProfileError::Unreadable { path: path.to_path_buf(), source })?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        profile.ca = profile.ca.map(|ca| folder.join(ca));
        profile.certificate = profile.certificate.map(|certificate| folder.join(certificate));
        profile.key = profile.key.map(|key| folder.join(key));
        // `data_dir = "."` is the usual case; joining it as it is would leave a trailing dot in every message.
        profile.data_dir = profile
            .data_dir
            .map(|data| if data == Path::new(".") { folder.clone() } else { folder.join(data) });
        Ok(profile)
    }

    /// Writes a new private file. Paths are written as they are, so give them relative to the profile's folder.
    ///
    /// # Errors
    /// [`ProfileError`] when the file exists or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ProfileError> {
        let text = format!(
            "# A client's view of one likeness server. The token below lets its holder act as the person it names:\n\
             # keep this file private.\n{}",
            toml::to_string(self)?
        );
        durable::create_file(path, text.as_bytes())?;
        Ok(())
    }
}

/// A TOML error quotes the line it is about, and the line may be the token.
fn without_input(mut error: toml::de::Error) -> toml::de::Error {
    error.set_input(None);
    error
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("server", &self.server)
            .field("ca", &self.ca)
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .field("system_name", &self.system_name)
            .field("data_dir", &self.data_dir)
            .field("token", &"[hidden]")
            .field("defaults", &self.defaults)
            .finish()
    }
}
