//! `likeness init`, `likeness serve` and `likeness token issue`: what runs where the data folder is.

use std::{io::IsTerminal as _, net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use likeness_server::{
    data::DataDir,
    identity::{Issuer, Revocations, Role, Standing, TokenRequest},
    init::{InitOptions, init as make},
    serve::{self, ServeOptions},
};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::{
    failure::{Exit, Failure, chain},
    models, output,
    profile::VARIABLE,
};

/// What was typed after `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Folder to make
    dir: PathBuf,
    /// Address the service will listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7440")]
    listen: SocketAddr,
    /// Model pack of new pools
    #[arg(long, value_name = "NAME", default_value = likeness_models::DEFAULT_PACK)]
    pack: String,
    /// Do not fetch the model pack and ONNX Runtime when they are absent
    #[arg(long)]
    no_pull: bool,
    /// Name under which this command line calls the service
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Person of the first token
    #[arg(long, value_name = "ID")]
    operator: Option<String>,
    /// Organisation of the first token
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Makes the data folder; what it needs to run is fetched first, so that a failure leaves nothing half made.
///
/// # Errors
/// The pack cannot be fetched, or the folder exists and is not empty.
pub fn init(args: InitArgs) -> Result<Exit, Failure> {
    if !args.no_pull && args.pack == likeness_models::DEFAULT_PACK {
        models::ensure_default()?;
    }
    let usual = InitOptions::default();
    let options = InitOptions {
        listen: args.listen,
        pack: args.pack,
        system_name: args.system.unwrap_or(usual.system_name),
        operator: args.operator.unwrap_or(usual.operator),
        organisation: args.organisation.unwrap_or(usual.organisation),
        token_days: usual.token_days,
    };
    let made = make(&args.dir, &options).map_err(|error| Failure::usage(chain(&error)))?;
    let (data, profile) = (made.data_dir.display(), made.profile.display());
    if args.json {
        output::json(&json!({
            "data_dir": data.to_string(),
            "profile": profile.to_string(),
            "ca_certificate": made.ca_certificate.display().to_string(),
            "server": made.server,
            "token_expires": made.token_expires.to_string(),
        }))?;
    }
    let next = format!(
        "Made {data}: configuration, certificate authority, token issuer, keys and an empty audit log.\n\
         The profile {profile} holds a token of {operator} with all roles, until {expires}. Keep it private.\n\n\
         Next:\n  \
         export {VARIABLE}={profile}\n  \
         likeness pool create NAME --kind custody\n  \
         likeness serve --data {data}\n  \
         likeness enrol --pool NAME FOLDER          (FOLDER/<subject>/<image>)\n  \
         likeness search IMAGE --pool NAME --purpose criminal_investigation --justification TEXT --reference REF --source cctv\n\n\
         Keep a copy of {keys} apart from the data: without it nothing here can be read again.",
        operator = options.operator,
        expires = made.token_expires,
        keys = DataDir::at(&made.data_dir).keys().display(),
    );
    if args.json {
        output::note(&next)
    } else {
        output::line(&next)?
    }
    Ok(Exit::Done)
}

/// What was typed after `serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The folder that `likeness init` made
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Listen here instead of the address in config.toml
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Without TLS; refused on anything but a loopback address
    #[arg(long)]
    plaintext: bool,
    /// Log as JSON lines; `$LIKENESS_LOG` sets the level
    #[arg(long)]
    log_json: bool,
}

/// Serves until it is told to stop.
///
/// # Errors
/// The data folder cannot be opened, the address cannot be bound, or serving fails.
pub fn serve(args: ServeArgs) -> Result<Exit, Failure> {
    log_to_standard_error(args.log_json)?;
    let options = ServeOptions { data: args.data, listen: args.listen, insecure_plaintext: args.plaintext };
    serve::run(&options, |address, tls| {
        let scheme = if tls { "https" } else { "http" };
        output::note(&format!("Serving on {scheme}://{address}; stop with Ctrl-C."));
    })
    .map_err(|error| Failure::fault(chain(&error)))?;
    Ok(Exit::Done)
}

/// ONNX Runtime says a hundred lines about every model it loads; they help nobody until something is wrong with it.
const LOG: &str = "info,ort=warn";

fn log_to_standard_error(json: bool) -> Result<(), Failure> {
    let typed = std::env::var("LIKENESS_LOG").unwrap_or_else(|_| LOG.to_owned());
    let filter = EnvFilter::try_new(&typed).map_err(|error| {
        Failure::usage(format!("`LIKENESS_LOG` is `{typed}`: {error}"))
            .advise("write for example `info` or `likeness_server=debug`")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let installed = if json { builder.json().try_init() } else { builder.try_init() };
    installed.map_err(|error| Failure::fault(format!("cannot start the log: {error}")))
}

/// What was typed after `token`.
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Issue a token for a person and print it; put it into that person's profile
    Issue(IssueArgs),
    /// Revoke a person's tokens, or one token; a running server refuses them within seconds
    Revoke(RevokeArgs),
}

/// A revocation.
#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// The folder that `likeness init` made
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Id of the person: every token issued to them up to now
    #[arg(long, value_name = "ID", required_unless_present = "token")]
    person: Option<String>,
    /// Id of one token, its claim `jti`
    #[arg(long, value_name = "JTI")]
    token: Option<String>,
}

/// A token.
#[derive(Args, Debug)]
pub struct IssueArgs {
    /// The folder that `likeness init` made
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Id of the person in your organisation
    #[arg(long, value_name = "ID")]
    person: String,
    /// Name of the person
    #[arg(long)]
    name: String,
    /// Organisation of the person
    #[arg(long)]
    org: String,
    /// Role; give it again for more: searcher, enroller, reviewer, pool_admin, auditor,
    /// national_auditor, protected_viewer, records_manager
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// The holder is a machine: it may ask, and never records a decision
    #[arg(long)]
    service_account: bool,
    /// Last day of the person's training, for those who record decisions
    #[arg(long, value_name = "DATE")]
    trained_until: Option<jiff::civil::Date>,
    /// Days until it expires, at most 366
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
}

/// Issues a token.
///
/// # Errors
/// The issuer's key is not in the data folder, or a role is unknown.
pub fn token(command: TokenCommand) -> Result<Exit, Failure> {
    match command {
        TokenCommand::Issue(args) => issue(args),
        TokenCommand::Revoke(args) => revoke(&args),
    }
}

fn revoke(args: &RevokeArgs) -> Result<Exit, Failure> {
    let path = DataDir::at(&args.data).revocations();
    let mut revocations = Revocations::read(&path).map_err(Failure::usage)?;
    let now = Timestamp::now();
    if let Some(person) = &args.person {
        revocations.revoke_person(person, now);
    }
    if let Some(token) = &args.token {
        revocations.revoke_token(token, now);
    }
    let text = revocations.to_toml().map_err(Failure::fault)?;
    output::private_file(&path, text.as_bytes())?;
    output::note("Revoked; a running server takes it up within seconds.");
    Ok(Exit::Done)
}

fn issue(args: IssueArgs) -> Result<Exit, Failure> {
    let known = || Role::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let roles = args
        .roles
        .iter()
        .map(|role| {
            role.parse::<Role>().map_err(|_| {
                Failure::usage(format!("unknown role `{role}`")).advise(format!("roles are {}", known()))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let issuer = Issuer::open(&DataDir::at(args.data)).map_err(|error| Failure::usage(chain(&error)))?;
    let request = TokenRequest {
        subject: args.person,
        name: args.name,
        organisation: args.org,
        roles,
        days: args.days,
    };
    let trained_until = args
        .trained_until
        .map(|last| {
            // The day itself still counts.
            let next = last.tomorrow().unwrap_or(last);
            next.to_zoned(jiff::tz::TimeZone::UTC).map(|start| start.timestamp())
        })
        .transpose()
        .map_err(|error| Failure::usage(format!("`--trained-until` is out of range: {error}")))?;
    let standing = Standing { service_account: args.service_account, trained_until };
    let token = issuer
        .mint_with(&request, standing, Timestamp::now())
        .map_err(|error| Failure::usage(chain(&error)))?;
    output::line(&token)?;
    output::note(&format!(
        "Valid for {} days. Whoever holds it acts as this person: hand it over privately, as `token` in a profile of mode 600.",
        args.days
    ));
    Ok(Exit::Done)
}
