//! `likeness system register | certify | review | list | revoke`: the registry of the systems that may call (R74).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use likeness_server::{
    authorise::Purposes,
    data::DataDir,
    identity::{Agreement, ReferenceFormat, Registry, System},
    pool::PoolKind,
    tls,
};
use serde_json::json;

use super::{
    failure::{Exit, Failure, chain},
    output,
    profile::Profile,
};

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum SystemCommand {
    /// Register a system with its agreement, and make its client certificate
    Register(Box<RegisterArgs>),
    /// Make another client certificate for a system, or register one that it brings
    Certify(CertifyArgs),
    /// Record that an agreement was reviewed, and what changed in it
    Review(ReviewArgs),
    /// List the systems, their agreements and how long these hold
    List(ListArgs),
    /// Revoke a system, or one of its certificates; a running server refuses it within seconds
    Revoke(RevokeArgs),
}

impl SystemCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        matches!(self, Self::List(ListArgs { json: true, .. }))
    }
}

/// Which registry.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The folder that `likeness init` made [default: `data_dir` of the profile]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A registration.
#[derive(Args, Debug)]
pub struct RegisterArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// The name it gives in every request
    name: String,
    /// Who answers for it: a mailbox or telephone that is read
    #[arg(long)]
    contact: String,
    /// How its reference ids look: a regular expression that the whole id matches
    #[arg(long, value_name = "REGEX", default_value = ReferenceFormat::ANY)]
    reference_format: ReferenceFormat,
    /// It may enrol without a person at the keyboard
    #[arg(long)]
    feed: bool,
    /// Reference of the data-sharing agreement
    #[arg(long, value_name = "ID")]
    agreement: String,
    /// The power under which data is shared
    #[arg(long, value_name = "TEXT")]
    legal_basis: String,
    /// Where the case for access is filed
    #[arg(long, value_name = "REF")]
    business_case: String,
    /// Who approved it
    #[arg(long, value_name = "NAME")]
    approved_by: String,
    /// Organisation whose people may act through it; give it again for more
    #[arg(long = "org", value_name = "NAME", required = true)]
    organisations: Vec<String>,
    /// Purpose the agreement covers; give it again for more
    #[arg(long = "purpose", value_name = "CODE", required = true)]
    purposes: Vec<String>,
    /// Kind of pool the agreement covers; give it again for more
    #[arg(long = "kind", value_name = "KIND", required = true)]
    kinds: Vec<PoolKind>,
    /// First day on which the agreement is no longer in force
    #[arg(long, value_name = "DATE")]
    expires: Date,
    /// First day on which access is suspended unless it was reviewed
    #[arg(long, value_name = "DATE")]
    review_due: Date,
    #[command(flatten)]
    certificate: CertificateArgs,
}

/// Where a certificate comes from or goes.
#[derive(Args, Debug)]
pub struct CertificateArgs {
    /// Register this certificate (PEM), signed by an authority in `tls/clients.pem`, instead of making one
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Folder for the certificate and key that are made [default: the current one]
    #[arg(long, value_name = "DIR", conflicts_with = "certificate")]
    out: Option<PathBuf>,
}

/// Another certificate.
#[derive(Args, Debug)]
pub struct CertifyArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Name of the system
    name: String,
    #[command(flatten)]
    certificate: CertificateArgs,
}

/// A review.
#[derive(Args, Debug)]
pub struct ReviewArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Name of the system
    name: String,
    /// First day on which access is suspended unless it was reviewed again [default: as it was]
    #[arg(long, value_name = "DATE")]
    review_due: Option<Date>,
    /// Another organisation whose people may act through it; give it again for more
    #[arg(long = "org", value_name = "NAME")]
    organisations: Vec<String>,
    /// First day on which the agreement is no longer in force, when that changed
    #[arg(long, value_name = "DATE")]
    expires: Option<Date>,
    /// Who approved it
    #[arg(long, value_name = "NAME")]
    approved_by: String,
}

/// A list.
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A revocation.
#[derive(Args, Debug)]
pub struct RevokeArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Name of the system
    name: String,
    /// Only the certificate with this SHA-256
    #[arg(long, value_name = "SHA256")]
    certificate: Option<String>,
}

/// Runs a command on the registry.
///
/// # Errors
/// The registry cannot be read or written, or what was typed does not make a valid one.
pub fn run(command: SystemCommand, profile: Option<&Path>) -> Result<Exit, Failure> {
    match command {
        SystemCommand::Register(args) => register(*args, profile),
        SystemCommand::Certify(args) => certify(&args, profile),
        SystemCommand::Review(args) => {
            let data = args.place.find(profile)?;
            change(&data, &args.name, |system| {
                system.agreement.review_due = args.review_due.unwrap_or(system.agreement.review_due);
                system.agreement.organisations.extend(args.organisations.iter().cloned());
                system.agreement.expires = args.expires.unwrap_or(system.agreement.expires);
                system.agreement.approved_by.clone_from(&args.approved_by);
                Ok(())
            })
        }
        SystemCommand::List(args) => list(&args, profile),
        SystemCommand::Revoke(args) => {
            let data = args.place.find(profile)?;
            change(&data, &args.name, |system| match &args.certificate {
                None => {
                    system.revoked_at.get_or_insert(Timestamp::now());
                    Ok(())
                }
                Some(digest) if system.certificates.remove(digest) => Ok(()),
                Some(digest) => Err(Failure::usage(format!("`{digest}` is not one of its certificates"))),
            })
        }
    }
}

impl WhereArgs {
    /// The data folder.
    pub fn find(&self, profile: Option<&Path>) -> Result<DataDir, Failure> {
        if let Some(data) = &self.data {
            return Ok(DataDir::at(data));
        }
        let profile = Profile::find(profile)?;
        profile.data_dir.map(DataDir::at).ok_or_else(|| {
            Failure::usage("the profile names no data folder on this machine; name it with `--data`")
        })
    }
}

fn purposes() -> Result<Purposes, Failure> {
    Purposes::built_in().map_err(|error| Failure::fault(chain(&error)))
}

fn read(data: &DataDir) -> Result<Registry, Failure> {
    let purposes = purposes()?;
    Registry::read(&data.systems(), |code| purposes.purpose(code).is_some())
        .map_err(|error| Failure::usage(chain(&error)))
}

/// Who runs the command, as far as this machine knows: the log records it beside the change.
fn operator() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "not known".to_owned())
}

/// Checks and writes the registry, whole or not at all.
fn write(data: &DataDir, systems: impl IntoIterator<Item = System>) -> Result<(), Failure> {
    let purposes = purposes()?;
    let registry = Registry::of(systems, |code| purposes.purpose(code).is_some())
        .map_err(|error| Failure::usage(chain(&error)))?
        .changed_by(operator());
    registry.write(&data.systems()).map_err(|error| Failure::fault(chain(&error)))
}

fn change(
    data: &DataDir,
    name: &str,
    change: impl FnOnce(&mut System) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let mut systems: Vec<System> = read(data)?.systems().map(|system| System::clone(system)).collect();
    let system = systems.iter_mut().find(|system| system.name == name).ok_or_else(|| {
        Failure::usage(format!("no system is registered as `{name}`"))
            .advise("`likeness system list` shows those that are")
    })?;
    change(system)?;
    write(data, systems)?;
    output::note(&format!(
        "Written to {}; a running server takes it up within seconds.",
        data.systems().display()
    ));
    Ok(Exit::Done)
}

fn register(args: RegisterArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let data = args.place.find(profile)?;
    let mut systems: Vec<System> = read(&data)?.systems().map(|system| System::clone(system)).collect();
    if systems.iter().any(|system| system.name == args.name) {
        return Err(Failure::usage(format!("a system is registered as `{}` already", args.name))
            .advise("`likeness system certify` gives it another certificate, `review` moves its dates"));
    }
    let fingerprint = args.certificate.settle(&data, &args.name)?;
    systems.push(System {
        name: args.name,
        contact: args.contact,
        reference_format: args.reference_format,
        feed: args.feed,
        certificates: BTreeSet::from([fingerprint]),
        registered_at: Timestamp::now(),
        revoked_at: None,
        agreement: Agreement {
            id: args.agreement,
            legal_basis: args.legal_basis,
            business_case: args.business_case,
            approved_by: args.approved_by,
            organisations: args.organisations.into_iter().collect(),
            purposes: args.purposes.into_iter().collect(),
            kinds: args.kinds.into_iter().collect(),
            expires: args.expires,
            review_due: args.review_due,
        },
    });
    write(&data, systems)?;
    output::note("Registered; a running server takes it up within seconds.");
    Ok(Exit::Done)
}

fn certify(args: &CertifyArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let data = args.place.find(profile)?;
    if read(&data)?.get(&args.name).is_none() {
        return Err(Failure::usage(format!("no system is registered as `{}`", args.name)));
    }
    let fingerprint = args.certificate.settle(&data, &args.name)?;
    change(&data, &args.name, |system| {
        system.certificates.insert(fingerprint);
        Ok(())
    })
}

impl CertificateArgs {
    /// The fingerprint of the certificate that is brought or made.
    fn settle(&self, data: &DataDir, name: &str) -> Result<String, Failure> {
        if let Some(file) = &self.certificate {
            let pem = std::fs::read(file)
                .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))?;
            return tls::fingerprint_of_pem(&pem).map_err(|error| Failure::usage(chain(&error)));
        }
        let made =
            tls::make_client(data, name, Timestamp::now()).map_err(|error| Failure::usage(chain(&error)))?;
        let folder = self.out.clone().unwrap_or_else(|| PathBuf::from("."));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::usage(format!("cannot make `{}`: {error}", folder.display())))?;
        let (certificate, key) = (folder.join("client.pem"), folder.join("client.key"));
        if certificate.exists() || key.exists() {
            return Err(Failure::usage(format!("`{}` holds a certificate or key already", folder.display()))
                .advise("name another folder with `--out`"));
        }
        output::private_file(&certificate, made.certificate.as_bytes())?;
        output::private_file(&key, made.key.as_bytes())?;
        output::line(&json!({
            "system": name, "certificate": certificate.display().to_string(), "key": key.display().to_string(),
            "sha256": made.fingerprint,
        }).to_string())?;
        output::note("Hand both files over privately: whoever holds the key calls as this system.");
        Ok(made.fingerprint)
    }
}

fn list(args: &ListArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let registry = read(&args.place.find(profile)?)?;
    if args.json {
        let systems: Vec<_> = registry.systems().map(|system| json!(**system)).collect();
        output::json(&json!({ "systems": systems }))?;
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    let mut table =
        output::table(["system", "state", "organisations", "agreement", "expires", "review due", "contact"]);
    for system in registry.systems() {
        let agreement = &system.agreement;
        let state = if system.revoked_at.is_some() {
            "revoked"
        } else if now >= agreement.expires_at() {
            "agreement ended"
        } else if now >= agreement.review_due_at() {
            "review overdue"
        } else {
            "in force"
        };
        let organisations: Vec<&str> = agreement.organisations.iter().map(String::as_str).collect();
        table.add_row([
            system.name.clone(),
            state.to_owned(),
            organisations.join(", "),
            agreement.id.clone(),
            agreement.expires.to_string(),
            agreement.review_due.to_string(),
            system.contact.clone(),
        ]);
    }
    output::line(&table.trim_fmt())?;
    Ok(Exit::Done)
}
