//! Where security events go.
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, raw::out_of_range};

/// Where security events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Siem {
    /// Nowhere.
    None,
    /// Into a file, one JSON object per line. Relative to the data directory.
    File(PathBuf),
    /// To a syslog receiver, `host:port`.
    Syslog {
        /// `host:port`.
        address: String,
        /// Certificate authority of the receiver, relative to the data directory; absent: without TLS.
        ca: Option<PathBuf>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSiem {
    sink: String,
    file: String,
    address: String,
    ca: String,
}

impl RawSiem {
    pub(super) fn check(self) -> Result<Siem, ConfigError> {
        let RawSiem { sink, file, address, ca } = self;
        let needed = |key, value: &str, what: &str| {
            if value.is_empty() { Err(out_of_range(key, "empty", what)) } else { Ok(()) }
        };
        match sink.as_str() {
            "none" => Ok(Siem::None),
            "file" => needed("siem.file", &file, "the path of a file").map(|()| Siem::File(file.into())),
            "tcp" | "tls" => {
                needed("siem.address", &address, "`host:port` of the receiver")?;
                let tls = sink == "tls";
                if tls {
                    needed("siem.ca", &ca, "a PEM file with the receiver's certificate authority")?;
                }
                Ok(Siem::Syslog { address, ca: tls.then(|| ca.into()) })
            }
            other => Err(out_of_range("siem.sink", other, "`none`, `file`, `tcp` or `tls`")),
        }
    }
}
