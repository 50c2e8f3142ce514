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
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{
    data::DataDir,
    durable::{self, FileError},
};

/// Years that the authority's certificate holds.
const CA_YEARS: i16 = 10;
/// Years that the server's certificate holds.
const SERVER_YEARS: i16 = 5;

/// Years that a calling system's certificate holds.
const CLIENT_YEARS: i16 = 2;

/// A calling system's certificate, made here.
pub struct ClientIdentity {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PEM.
    pub key: String,
    /// SHA-256 of the certificate, lower-case hex: what the registry knows it by.
    pub fingerprint: String,
}

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
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something that should be a certificate is none.
    #[error("not a certificate in PEM")]
    NotACertificate,
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

/// What callers' certificates are checked against: the local authority, and a site's own when it has one. PEM.
///
/// # Errors
/// [`TlsError::Unreadable`] when the local authority's certificate is missing.
pub(crate) fn callers(data: &DataDir) -> Result<Vec<u8>, TlsError> {
    let path = data.ca_certificate();
    let mut all = fs::read(&path).map_err(|source| TlsError::Unreadable { path, source })?;
    let path = data.callers_authority();
    match fs::read(&path) {
        Ok(more) => {
            all.push(b'\n');
            all.extend(more);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(TlsError::Unreadable { path, source }),
    }
    Ok(all)
}

/// Makes a certificate for a calling system, signed by the local authority.
///
/// # Errors
/// [`TlsError`] when the authority's key is missing, open to others, or not usable.
pub fn make_client(data: &DataDir, name: &str, now: Timestamp) -> Result<ClientIdentity, TlsError> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| TlsError::NotACertificate);
    let key = KeyPair::from_pem(&text(durable::read_private(&data.ca_key())?)?)?;
    let path = data.ca_certificate();
    let authority = text(fs::read(&path).map_err(|source| TlsError::Unreadable { path, source })?)?;
    let authority = Issuer::from_ca_cert_pem(&authority, key)?;

    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let from = today.yesterday().unwrap_or(today);
    let mut client = CertificateParams::default();
    client.distinguished_name.push(DnType::CommonName, name);
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    client.use_authority_key_identifier_extension = true;
    client.not_before =
        date_time_ymd(i32::from(from.year()), from.month().unsigned_abs(), from.day().unsigned_abs());
    client.not_after =
        date_time_ymd(i32::from(today.year()) + i32::from(CLIENT_YEARS), today.month().unsigned_abs(), 1);
    let key = KeyPair::generate()?;
    let certificate = client.signed_by(&key, &authority)?;
    Ok(ClientIdentity {
        fingerprint: fingerprint(certificate.der()),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// SHA-256 of a certificate (DER), lower-case hex.
pub fn fingerprint(certificate: &[u8]) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// The same for the first certificate of a PEM file.
///
/// # Errors
/// [`TlsError::NotACertificate`].
pub fn fingerprint_of_pem(pem: &[u8]) -> Result<String, TlsError> {
    let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| TlsError::NotACertificate)?;
    Ok(fingerprint(&certificate))
}
