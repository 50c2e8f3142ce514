//! Making a data directory: certificates, keys, an empty audit log, a configuration, and a profile for its operator.
use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::{
    audit::{AuditError, FileAudit},
    authorise::{Purposes, PurposesError},
    clock::{Clock as _, SystemClock},
    config::{self, Config, ConfigError},
    data::DataDir,
    durable::{self, FileError},
    identity::{
        Agreement, IdentityError, Issuer, ReferenceFormat, Registry, RegistryError, Role, System,
        SystemError, TokenRequest,
    },
    keys::{FileKeyStore, KeyError},
    profile::{Profile, ProfileDefaults, ProfileError},
    tls::{self, TlsError},
};

/// What `init` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitOptions {
    /// Where the server will listen.
    pub listen: SocketAddr,
    /// The model pack it will run.
    pub pack: String,
    /// The name of the calling system that the profile sends.
    pub system_name: String,
    /// The person the profile's token names.
    pub operator: String,
    /// Their organisation.
    pub organisation: String,
    /// Days that the token is valid for, 1 to 366.
    pub token_days: u32,
}

impl Default for InitOptions {
    fn default() -> Self {
        InitOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7440)),
            pack: "face-api".to_owned(),
            system_name: "likeness-cli".to_owned(),
            operator: "local operator".to_owned(),
            organisation: "local".to_owned(),
            token_days: 365,
        }
    }
}

/// What `init` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// The operator's profile.
    pub profile: PathBuf,
    /// The certificate that clients must trust.
    pub ca_certificate: PathBuf,
    /// Where the server will be found.
    pub server: String,
    /// When the operator's token ends.
    pub token_expires: Timestamp,
}

/// Why no data directory was made. An existing folder is left as it was.
#[derive(Debug, Error)]
pub enum InitError {
    /// It is one already.
    #[error("`{}` is a likeness data directory already; it was left as it is", .0.display())]
    AlreadyInitialised(PathBuf),
    /// There is something else in it.
    #[error("`{}` is not empty; name a new or an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// It is not a folder, or cannot be read.
    #[error("cannot use `{}` as a data directory: {source}", path.display())]
    Unusable {
        /// As named.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An option makes no valid configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The issuer or the token could not be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The first system could not be registered.
    #[error(transparent)]
    Systems(#[from] RegistryError),
    /// The first system's reference format is not valid.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The list of purposes is not valid.
    #[error(transparent)]
    Purposes(#[from] PurposesError),
    /// The key store could not be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The audit log could not be made.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The profile could not be written.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Makes a data directory at `dir`, which must not exist or be empty. All of it, or nothing.
///
/// The operator's token carries every role. It is meant for one person on one machine; mint narrower ones for others.
///
/// # Errors
/// [`InitError`]; a second run is refused and changes nothing.
pub fn init(dir: &Path, options: &InitOptions) -> Result<InitReport, InitError> {
    let unusable = |source| InitError::Unusable { path: dir.to_path_buf(), source };
    let dir = std::path::absolute(dir).map_err(unusable)?;
    let unusable = |source| InitError::Unusable { path: dir.clone(), source };
    if DataDir::at(&dir).config().exists() {
        return Err(InitError::AlreadyInitialised(dir));
    }
    match fs::read_dir(&dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(InitError::NotEmpty(dir));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(unusable(source)),
    }
    let text = config::render(options.listen, &options.pack);
    Config::parse(&text)?;

    // In place, not beside it and renamed: the folder may be a mount point.
    durable::create_dir(&dir)?;
    make_private(&dir).map_err(unusable)?;
    let now = SystemClock.now();
    if let Err(error) = furnish(&DataDir::at(&dir), options, &text, now) {
        clear(&dir);
        return Err(error);
    }

    let data = DataDir::at(&dir);
    Ok(InitReport {
        profile: data.profile(),
        ca_certificate: data.ca_certificate(),
        server: server_url(options.listen),
        token_expires: now
            .checked_add(SignedDuration::from_hours(24 * i64::from(options.token_days)))
            .unwrap_or(Timestamp::MAX),
        data_dir: dir,
    })
}

fn furnish(data: &DataDir, options: &InitOptions, config: &str, now: Timestamp) -> Result<(), InitError> {
    tls::create(data, options.listen, now)?;
    let issuer = Issuer::create(data)?;
    let keys = FileKeyStore::create(&data.keys())?;
    FileAudit::create(&data.audit(), &keys)?;
    durable::create_dir(&data.pools())?;
    let client = tls::make_client(data, &options.system_name, now)?;
    durable::create_file(&data.client_key(), client.key.as_bytes())?;
    durable::create_file(&data.client_certificate(), client.certificate.as_bytes())?;
    let purposes = Purposes::built_in()?;
    let systems = Registry::of([first_system(options, &purposes, client.fingerprint, now)?], |code| {
        purposes.purpose(code).is_some()
    })?;
    durable::create_file(&data.systems(), systems.to_toml()?.as_bytes())?;
    durable::create_file(&data.lock(), b"")?;
    let token = issuer.mint(
        &TokenRequest {
            subject: options.operator.clone(),
            name: options.operator.clone(),
            organisation: options.organisation.clone(),
            roles: Role::ALL.to_vec(),
            days: options.token_days,
        },
        now,
    )?;
    Profile {
        server: server_url(options.listen),
        ca: Some(PathBuf::from("tls").join("ca.pem")),
        certificate: Some(PathBuf::from("tls").join("client.pem")),
        key: Some(PathBuf::from("tls").join("client.key")),
        system_name: options.system_name.clone(),
        data_dir: Some(PathBuf::from(".")),
        token,
        defaults: Some(ProfileDefaults {
            purpose: "algorithm_testing".to_owned(),
            justification: "one-to-one comparison from the command line (default of the profile)".to_owned(),
        }),
    }
    .write(&data.profile())?;
    // Last: a folder with this file is a data directory.
    durable::create_file(&data.config(), config.as_bytes())?;
    Ok(())
}

/// The system that the first profile calls as: the whole of what this installation may do, for its own organisation.
///
/// An installation of one's own needs no agreement with others; what stands here is to be replaced by what is agreed.
fn first_system(
    options: &InitOptions,
    purposes: &Purposes,
    certificate: String,
    now: Timestamp,
) -> Result<System, InitError> {
    let in_a_year = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(options.token_days)))
        .unwrap_or(Timestamp::MAX)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    Ok(System {
        name: options.system_name.clone(),
        contact: options.operator.clone(),
        reference_format: ReferenceFormat::ANY.parse()?,
        feed: false,
        certificates: [certificate].into(),
        registered_at: now,
        revoked_at: None,
        agreement: Agreement {
            id: "first-installation".to_owned(),
            legal_basis: "the operator's own processing".to_owned(),
            business_case: "made by `likeness init`".to_owned(),
            approved_by: options.operator.clone(),
            organisations: [options.organisation.clone()].into(),
            purposes: purposes.all().into_iter().map(|purpose| purpose.code().to_owned()).collect(),
            kinds: crate::pool::PoolKind::ALL.into(),
            expires: in_a_year,
            review_due: in_a_year,
        },
    })
}

fn make_private(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Removes what a failed run made: the folder was empty before.
fn clear(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "left behind by a failed init");
        }
    }
}

/// Where a client on this machine finds a server that listens on `listen`.
fn server_url(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("https://localhost:{}", listen.port())
    } else {
        format!("https://{listen}")
    }
}
