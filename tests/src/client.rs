//! A gRPC client as another organisation would write it: only the certificate, the token and the proto files.
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use likeness_proto::v1::{ProbeSource, RequestContext};
use tonic::{
    Request, Status,
    metadata::AsciiMetadataValue,
    service::Interceptor,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::service::Service;

/// Adds the bearer token.
#[derive(Clone)]
pub struct Token(pub Option<AsciiMetadataValue>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// The token in the profile of a data folder.
#[must_use]
pub fn token(data: &Path) -> Token {
    let profile = fs::read_to_string(data.join("profile.toml")).expect("the profile");
    let line = profile.lines().find(|line| line.starts_with("token")).expect("a token in the profile");
    let value = line.split('"').nth(1).expect("a quoted token");
    Token(Some(format!("Bearer {value}").parse().expect("an ASCII token")))
}

/// The certificate and key of the first system, as `likeness init` made them.
#[must_use]
pub fn identity(data: &Path) -> Identity {
    let read = |name: &str| fs::read(data.join("tls").join(name)).expect("the client's certificate");
    Identity::from_pem(read("client.pem"), read("client.key"))
}

/// A token of another person, made with `likeness token issue`.
#[must_use]
pub fn token_for(service: &Service, person: &str, organisation: &str, roles: &[&str]) -> Token {
    Token(Some(
        format!("Bearer {}", bare_token(service, person, organisation, roles)).parse().expect("ASCII"),
    ))
}

/// The same without its scheme, for a profile.
#[must_use]
pub fn bare_token(service: &Service, person: &str, organisation: &str, roles: &[&str]) -> String {
    let data = service.data();
    let data = data.to_str().expect("UTF-8");
    // The system acts for the organisations of its agreement; a running server takes the change up with the next call.
    service.ok(&[
        "system",
        "review",
        "likeness-cli",
        "--data",
        data,
        "--org",
        organisation,
        "--approved-by",
        "A Director",
    ]);
    let mut arguments = vec!["token", "issue", "--data", data];
    arguments.extend(["--person", person, "--name", person, "--org", organisation]);
    roles.iter().for_each(|role| arguments.extend(["--role", role]));
    service.ok(&arguments).trim().to_owned()
}

/// A profile of a person of another organisation who has one role; its path.
#[must_use]
pub fn profile_for(service: &Service, role: &str) -> String {
    let token = bare_token(service, &format!("person-{role}"), "hampshire", &[role]);
    let text = fs::read_to_string(service.data().join("profile.toml")).expect("the profile");
    let lines = text
        .lines()
        .map(|line| if line.starts_with("token") { format!("token = \"{token}\"") } else { line.to_owned() });
    // Beside the other profile: the paths in it are relative to it.
    let path = service.data().join(format!("profile-{role}.toml"));
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a private file");
    path.to_str().expect("UTF-8").to_owned()
}

/// A TLS connection as the first system, which trusts only the service's own certificate authority.
pub async fn channel(service: &Service) -> Channel {
    let authority = fs::read(service.data().join("tls/ca.pem")).expect("the certificate");
    Endpoint::from_shared(format!("https://localhost:{}", service.port()))
        .expect("an address")
        .tls_config(
            ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(authority))
                .identity(identity(&service.data()))
                .domain_name("localhost"),
        )
        .expect("a TLS configuration")
        .connect()
        .await
        .expect("a connection")
}

/// A complete context.
#[must_use]
pub fn context(purpose: &str, reference: &str) -> RequestContext {
    RequestContext {
        system_name: "likeness-cli".into(),
        reference_id: reference.into(),
        purpose_code: purpose.into(),
        justification: "exercised by the end-to-end tests".into(),
    }
}

/// A complete probe source.
#[must_use]
pub fn source() -> ProbeSource {
    ProbeSource {
        source_type: "cctv".into(),
        acquired_under: "test licence".into(),
        investigation_ref: "OP-TEST".into(),
        offence_type: String::new(),
        edits: String::new(),
        origin: 0,
    }
}
