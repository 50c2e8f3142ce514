//! The local certificate authority and the server's certificate, made once by `init`.
//!
//! A client trusts the authority's certificate and nothing else, so a site that has its own authority replaces
//! `tls/server.pem`, `tls/server.key` and the `ca` of its profiles.
use std::{fs, net::SocketAddr, path::PathBuf};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use thiserror::Error;

use crate::{
    data::DataDir,
    durable::{self, FileError},
};

/// Years that the authority's certificate holds.
const CA_YEARS: i16 = 10;
/// Years that the server's certificate holds.
const SERVER_YEARS: i16 = 5;

/// Certificate and key of the server, in PEM.
pub struct ServerIdentity {
    /// The certificate chain.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// Why certificates cannot be made or read.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A certificate cannot be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate or key file is missing.
    #[error("cannot read `{}`; without it the server cannot serve over TLS", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// Makes the authority and the server's certificate for `localhost`, the loopback addresses and `listen`, in `data/tls`.
///
/// # Errors
/// [`TlsError`] when a key or certificate cannot be made or a file exists already.
pub(crate) fn create(data: &DataDir, listen: SocketAddr, now: Timestamp) -> Result<(), TlsError> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    // A day back, so that a client whose clock is a little behind accepts it.
    let from = today.yesterday().unwrap_or(today);
    let starts =
        date_time_ymd(i32::from(from.year()), from.month().unsigned_abs(), from.day().unsigned_abs());
    // The first of the month: every month has one, whatever day it is today.
    let ends = |years: i16| {
        date_time_ymd(i32::from(today.year()) + i32::from(years), today.month().unsigned_abs(), 1)
    };

    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Likeness local authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.not_before = starts;
    authority.not_after = ends(CA_YEARS);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let address = listen.ip();
    if !address.is_loopback() && !address.is_unspecified() {
        names.push(address.to_string());
    }
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "Likeness server");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    server.not_before = starts;
    server.not_after = ends(SERVER_YEARS);
    let server_key = KeyPair::generate()?;
    let server_certificate =
        server.signed_by(&server_key, &Issuer::from_params(&authority, &authority_key))?;

    durable::create_dir(&data.tls())?;
    durable::create_file(&data.ca_key(), authority_key.serialize_pem().as_bytes())?;
    durable::create_file(&data.ca_certificate(), authority_certificate.pem().as_bytes())?;
    durable::create_file(&data.server_key(), server_key.serialize_pem().as_bytes())?;
    durable::create_file(&data.server_certificate(), server_certificate.pem().as_bytes())?;
    Ok(())
}

/// Reads the server's certificate and key.
///
/// # Errors
/// [`TlsError::Unreadable`] when one is missing.
pub(crate) fn read(data: &DataDir) -> Result<ServerIdentity, TlsError> {
    let read = |path: PathBuf| fs::read(&path).map_err(|source| TlsError::Unreadable { path, source });
    Ok(ServerIdentity { certificate: read(data.server_certificate())?, key: read(data.server_key())? })
}
