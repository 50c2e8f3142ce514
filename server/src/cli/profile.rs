//! Where the server is and who is asking: what the profile that `likeness init` wrote means.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use likeness_server::profile::{Profile as Written, ProfileDefaults, ProfileError};
use tonic::transport::Uri;

use super::failure::{Failure, chain};

/// The environment variable that names the profile when `--profile` does not.
pub const VARIABLE: &str = "LIKENESS_PROFILE";

/// What it means: everything needed to reach one server as one person.
pub struct Profile {
    /// The file it came from, for messages.
    pub path: PathBuf,
    /// `https://host:port`, or `http://` on a loopback address; as written.
    pub server: String,
    /// PEM of the authority that signed the server's certificate; none without TLS.
    pub authority: Option<String>,
    /// PEM of this system's certificate and private key; none without TLS.
    pub identity: Option<(String, String)>,
    /// The registered name of this calling system.
    pub system_name: String,
    /// The bearer token of the acting person.
    pub token: String,
    /// The server's data folder, when it is on this machine.
    pub data_dir: Option<PathBuf>,
    /// What `compare` states when the person does not.
    pub defaults: Option<ProfileDefaults>,
}

impl Profile {
    /// Reads the profile that `--profile` or `$LIKENESS_PROFILE` named.
    ///
    /// # Errors
    /// None was named, or the file is missing, open to others, malformed or unsafe.
    pub fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = named else {
            return Err(Failure::usage(format!(
                "no profile: neither `--profile FILE` nor `${VARIABLE}` says where the server is and who is asking"
            ))
            .advise(format!(
                "`export {VARIABLE}=DIR/profile.toml`, where DIR is the folder that `likeness init DIR` made"
            )));
        };
        let path = if path.is_dir() { path.join("profile.toml") } else { path.to_owned() };
        Self::read(&path)
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let written = Written::read(path).map_err(|error| {
            let failure = Failure::usage(chain(&error));
            match &error {
                ProfileError::Invalid { .. } => {
                    failure.advise("its keys are server, ca, certificate, key, system_name, token, data_dir and [defaults] purpose, justification")
                }
                _ => failure,
            }
        })?;
        let mode = fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
        if mode & 0o077 != 0 {
            return Err(Failure::usage(format!(
                "the profile `{shown}` holds a token but others may open it (mode {:03o})",
                mode & 0o777
            ))
            .advise(format!("`chmod 600 {shown}`")));
        }
        Self::understand(path, written)
    }

    fn understand(path: &Path, written: Written) -> Result<Self, Failure> {
        let shown = path.display();
        let server: Uri = written.server.parse().map_err(|error| {
            Failure::usage(format!("`server` in `{shown}` is not an address: {error}"))
                .advise("write it as `https://host:port`")
        })?;
        let authority = match (server.scheme_str(), written.ca) {
            (Some("https"), Some(ca)) => Some(fs::read_to_string(&ca).map_err(|error| {
                Failure::usage(format!(
                    "cannot read the certificate authority `{}` named in `{shown}`: {error}",
                    ca.display()
                ))
            })?),
            (Some("https"), None) => {
                return Err(Failure::usage(format!(
                    "`{shown}` names no `ca`, so the server's certificate cannot be checked"
                ))
                .advise("add `ca = \"tls/ca.pem\"`, the authority that `likeness init` made"));
            }
            (Some("http"), _) if is_loopback(&server) => None,
            (Some("http"), _) => {
                return Err(Failure::usage(format!("`server` in `{shown}` is `http://` on an address that is not loopback: the token would travel in clear"))
                    .advise("use `https://`"));
            }
            _ => {
                return Err(Failure::usage(format!(
                    "`server` in `{shown}` must begin with `https://`, or `http://` on loopback"
                )));
            }
        };
        let identity = match (&authority, written.certificate, written.key) {
            (None, ..) => None,
            (Some(_), Some(certificate), Some(key)) => {
                let read = |file: &Path| {
                    fs::read_to_string(file).map_err(|error| {
                        Failure::usage(format!(
                            "cannot read `{}` named in `{shown}`: {error}",
                            file.display()
                        ))
                    })
                };
                Some((read(&certificate)?, read(&key)?))
            }
            (Some(_), ..) => {
                return Err(Failure::usage(format!(
                    "`{shown}` names no `certificate` and `key`, so the server cannot tell which system calls"
                ))
                .advise("add the files that `likeness system register` made for this system"));
            }
        };
        Ok(Self {
            server: written.server,
            authority,
            identity,
            system_name: written.system_name,
            token: written.token.trim().to_owned(),
            data_dir: written.data_dir,
            defaults: written.defaults,
            path: path.to_owned(),
        })
    }
}

fn is_loopback(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;
