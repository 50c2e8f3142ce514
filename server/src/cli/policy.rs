//! `likeness policy explain | check | export`: the policies' own answers, on files alone; no server is asked.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use jiff::{Timestamp, tz::TimeZone};
use likeness_server::{
    authorise::{
        Authoriser, Origin, PoolFacts, Purpose, built_in_policies, explain,
        explain::{Row, explain as ask},
        lint::lint,
    },
    data::DataDir,
    identity::{Registry, Role, System},
    keys::PoolName,
    pool::{PoolDefinition, PoolKind},
};
use serde_json::json;

use super::{
    failure::{Exit, Failure, chain},
    output,
    profile::Profile,
};

mod answers;

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// What somebody may do for a purpose, and which policy says so
    Explain(ExplainArgs),
    /// Look the policies over: unused, shadowed, leaning on a red line, not reviewed, different from the reviewed matrix.
    /// Exit code 3 when there is anything to look at
    Check(CheckArgs),
    /// Write the policies of this program into a folder, to review them or to start a site's own
    Export(ExportArgs),
}

impl PolicyCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Explain(args) => args.json,
            Self::Check(args) => args.json,
            Self::Export(_) => false,
        }
    }
}

/// Which policies.
#[derive(Args, Debug)]
pub struct SetArgs {
    /// The folder that `likeness init` made: its policies, systems and pools [default: `data_dir` of the profile]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A folder of policies that are not in force yet
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

/// A caller and a purpose.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Role of the person; give it again for more
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Organisation of the person [default: the first of the system's agreement]
    #[arg(long = "org", value_name = "NAME")]
    organisation: Option<String>,
    /// System they call from, with its agreement [default: that of the profile, or one whose agreement covers everything]
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Purpose code
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// A pool of the data folder; give it again for more
    #[arg(long = "pool", value_name = "NAME", conflicts_with = "kinds")]
    pools: Vec<String>,
    /// A kind of pool, as if there were one that permits what its kind may; give it again for more [default: every kind]
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<PoolKind>,
    /// Only searches with a probe from here: `scene`, or a kind of pool [default: every origin]
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<Origin>,
    /// Show what is denied, too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A look over the policies.
#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A folder to write.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The folder; it must be empty or new
    dir: PathBuf,
}

/// Runs a command on policies.
///
/// # Errors
/// The policies cannot be read or do not load, or what was named does not exist.
pub fn run(command: PolicyCommand, profile: Option<&Path>) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Explain(args) => explained(&args, profile),
        PolicyCommand::Check(args) => checked(&args, profile),
        PolicyCommand::Export(args) => exported(&args),
    }
}

impl SetArgs {
    /// The data folder, when one is named or the profile knows one.
    fn data(&self, profile: Option<&Path>) -> Result<(Option<DataDir>, Option<String>), Failure> {
        if let Some(data) = &self.data {
            return Ok((Some(DataDir::at(data)), None));
        }
        match profile {
            None => Ok((None, None)),
            Some(_) => {
                let profile = Profile::find(profile)?;
                Ok((profile.data_dir.map(DataDir::at), Some(profile.system_name)))
            }
        }
    }

    fn load(&self, data: Option<&DataDir>) -> Result<Authoriser, Failure> {
        let own = data.map(DataDir::policies).filter(|folder| folder.exists());
        let loaded = match self.policies.as_ref().or(own.as_ref()) {
            Some(folder) => Authoriser::read(folder),
            None => Authoriser::built_in(),
        };
        loaded.map_err(|error| Failure::new(Exit::Refused, chain(&error)))
    }
}

fn explained(args: &ExplainArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let (data, calling) = args.set.data(profile)?;
    let authoriser = args.set.load(data.as_ref())?;
    let purposes = authoriser.purposes();
    let purpose = purposes.purpose(&args.purpose).ok_or_else(|| {
        let known: Vec<&str> = purposes.all().into_iter().map(Purpose::code).collect();
        Failure::usage(format!("`{}` is not a purpose", args.purpose))
            .advise(format!("purposes are {}", known.join(", ")))
    })?;
    let system = system(args.system.as_deref().or(calling.as_deref()), data.as_ref(), &authoriser)?;
    let caller = explain::imagined(purposes, system, &args.roles, args.organisation.as_deref())
        .map_err(|error| Failure::fault(chain(&error)))?;
    let pools = pools(args, data.as_ref(), &authoriser)?;
    let facts: Vec<PoolFacts<'_>> =
        pools.iter().map(|(name, kind, purposes)| PoolFacts { name, kind: *kind, purposes }).collect();
    let rows = ask(&authoriser, &caller, &purpose, &facts, args.origin, Timestamp::now());
    let shown: Vec<Row> = rows.into_iter().filter(|row| args.all || row.decision.allowed).collect();
    if args.json {
        output::json(&answers::json(&authoriser, &caller, &purpose, &shown))?;
    } else {
        answers::print(&authoriser, &caller, &purpose, &shown)?;
    }
    Ok(Exit::Done)
}

/// The system of that name in the registry; none when there is no data folder to look in.
fn system(
    name: Option<&str>,
    data: Option<&DataDir>,
    authoriser: &Authoriser,
) -> Result<Option<Arc<System>>, Failure> {
    let (Some(name), Some(data)) = (name, data) else { return Ok(None) };
    let registry = Registry::read(&data.systems(), |code| authoriser.purposes().purpose(code).is_some())
        .map_err(|error| Failure::usage(chain(&error)))?;
    match registry.get(name) {
        Some(system) if system.revoked_at.is_none() => Ok(Some(Arc::clone(system))),
        Some(_) => {
            Err(Failure::new(Exit::Denied, format!("the system `{name}` was revoked: it may do nothing")))
        }
        None => {
            Err(Failure::new(Exit::Denied, format!("no system is registered as `{name}`: it may do nothing")))
        }
    }
}

type NamedPool = (PoolName, PoolKind, BTreeSet<Purpose>);

fn pools(
    args: &ExplainArgs,
    data: Option<&DataDir>,
    authoriser: &Authoriser,
) -> Result<Vec<NamedPool>, Failure> {
    let purposes = authoriser.purposes();
    if args.pools.is_empty() {
        let kinds = if args.kinds.is_empty() { PoolKind::ALL.to_vec() } else { args.kinds.clone() };
        return kinds
            .into_iter()
            .map(|kind| {
                // A pool's name has no underscore; the kind's code stands for "some pool of this kind".
                let name = format!("any-{}", kind.code().replace('_', "-")).parse();
                let name = name.map_err(|_| Failure::fault("the name of an imagined pool is not valid"))?;
                Ok((name, kind, purposes.of_kind(kind)))
            })
            .collect();
    }
    let data = data.ok_or_else(|| {
        Failure::usage("`--pool` needs the data folder: name it with `--data`, or use `--kind`")
    })?;
    args.pools
        .iter()
        .map(|name| {
            let parsed: PoolName =
                name.parse().map_err(|_| Failure::usage(format!("`{name}` is not a pool's name")))?;
            let file = data.pools().join(parsed.as_str()).join("pool.toml");
            let found =
                PoolDefinition::read(file, purposes).map_err(|error| Failure::usage(chain(&error)))?;
            Ok((found.name, found.kind, found.purposes))
        })
        .collect()
}

fn checked(args: &CheckArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let (data, _) = args.set.data(profile)?;
    let authoriser = args.set.load(data.as_ref())?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let report = lint(&authoriser, today).map_err(|error| Failure::fault(chain(&error)))?;
    if args.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(
                |finding| json!({"code": finding.code, "policy": finding.policy, "message": finding.message}),
            )
            .collect();
        output::json(&json!({
            "policy_set": report.policy_set, "policies": report.policies, "cells": report.cells,
            "allowed": report.allowed, "findings": findings,
        }))?;
    } else {
        for finding in &report.findings {
            let policy = finding.policy.as_deref().unwrap_or("(all)");
            output::line(&format!("{:<16} {policy}: {}", finding.code, finding.message))?;
        }
        output::line(&format!(
            "policy set {}: {} policies, {} cells of the matrix asked, {} allowed, {} findings",
            report.policy_set,
            report.policies,
            report.cells,
            report.allowed,
            report.findings.len()
        ))?;
    }
    Ok(if report.findings.is_empty() { Exit::Done } else { Exit::Refused })
}

fn exported(args: &ExportArgs) -> Result<Exit, Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("cannot write to `{}`: {error}", args.dir.display()));
    let taken = args.dir.exists() && std::fs::read_dir(&args.dir).map_err(failed)?.next().is_some();
    if taken {
        return Err(Failure::usage(format!("`{}` is not empty; name a new folder", args.dir.display())));
    }
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    for file in built_in_policies() {
        output::private_file(&args.dir.join(&file.name), file.text.as_bytes())?;
    }
    output::note(&format!(
        "Written to `{dir}`. Look changes over with `likeness policy check --policies {dir}`; a server uses the folder \
         `policies` of its data folder in place of its own when there is one.",
        dir = args.dir.display()
    ));
    Ok(Exit::Done)
}
