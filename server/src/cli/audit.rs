//! `likeness audit`: verify a log or a bundle offline; ask the service for proofs, entries, replays and exports.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use likeness_proto::v1::get_report_request::Kind;
use likeness_server::data::DataDir;

use super::{
    connect::Connection,
    failure::{Exit, Failure},
    output,
    profile::{Profile, VARIABLE},
};

pub(super) mod context;
mod export;
mod prove;
mod query;
mod reconcile;
mod refer;
mod replay;
mod report;
mod subject_access;
mod verify;

pub use verify::key_file;

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Recompute the whole log, or a bundle of it; exit code 6 when any entry was changed, removed, reordered or cut off
    Verify(verify::VerifyArgs),
    /// Print the public key of the log, to keep elsewhere and to verify with
    ExportKey(WhereArgs),
    /// Show the latest entries, or one event whole. Never images or personal details; recorded itself
    Show(query::ShowArgs),
    /// Look entries up by person, subject, probe, system, purpose, time and more; recorded itself
    Query(Box<query::QueryArgs>),
    /// Bring back the exact bytes that an event answered, while its content is retained; recorded itself
    Replay(replay::ReplayArgs),
    /// Fetch the proof that an event is in the log, and check it here
    Prove(prove::ProveArgs),
    /// Write the whole log into a folder that anybody can verify with the public key; recorded as a disclosure
    Export(export::ExportArgs),
    /// Compare the log with a calling system's own ledger; exit code 7 when they differ; recorded itself
    Reconcile(reconcile::ReconcileArgs),
    /// Counts for publication, small ones suppressed; recorded itself
    Stats(report::ReportArgs),
    /// Organisations that reached data, for which purposes, since when; no persons; recorded itself
    AccessList(report::ReportArgs),
    /// Entries that the anomaly rules flag; recorded itself
    Anomalies(report::ReportArgs),
    /// Configuration facts for a data protection impact assessment; recorded itself
    DpiaFacts(report::ReportArgs),
    /// Record that an event was referred to a line manager or to professional standards
    Refer(refer::ReferArgs),
    /// Collect what is held and recorded about one subject, for them; recorded as a disclosure
    SubjectAccess(subject_access::SubjectAccessArgs),
}

impl AuditCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Verify(args) => args.json,
            Self::Show(args) => args.json,
            Self::Query(args) => args.json,
            Self::Prove(args) => args.json,
            Self::Export(args) => args.json,
            Self::Reconcile(args) => args.json,
            Self::Stats(_) | Self::AccessList(_) | Self::Anomalies(_) | Self::DpiaFacts(_) => true,
            Self::ExportKey(_) | Self::Replay(_) | Self::Refer(_) | Self::SubjectAccess(_) => false,
        }
    }

    /// Whether it works on files alone, without a server.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Verify(_) | Self::ExportKey(_))
    }
}

/// Which log.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The folder that `likeness init` made [default: `data_dir` of the profile]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl WhereArgs {
    /// The data folder, from the flag or else from the profile.
    fn find(&self, profile: Option<&Path>) -> Result<DataDir, Failure> {
        if let Some(data) = &self.data {
            return Ok(DataDir::at(data));
        }
        let profile = Profile::find(profile)
            .map_err(|failure| failure.advise(format!("say where the log is with `--data DIR`, or name the profile with `--profile FILE` or `${VARIABLE}`")))?;
        let data = profile.data_dir.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` has no `data_dir`, so the log is not on this machine",
                profile.path.display()
            ))
            .advise("run this where the server runs, or give `--data DIR`")
        })?;
        Ok(DataDir::at(data))
    }
}

/// Runs one of the commands that work on files alone.
///
/// # Errors
/// The log cannot be read. A log that does not verify is not an error but [`Exit::AuditFailed`].
pub fn run(command: &AuditCommand, profile: Option<&Path>) -> Result<Exit, Failure> {
    match command {
        AuditCommand::Verify(args) => verify::run(args, profile),
        AuditCommand::ExportKey(place) => {
            output::line(&verify::public_key(&place.find(profile)?, None)?.to_string())?;
            Ok(Exit::Done)
        }
        _ => Err(Failure::fault("this command asks the service")),
    }
}

/// Runs one of the commands that ask the service.
///
/// # Errors
/// The service refuses or fails.
pub async fn ask(command: AuditCommand, profile: &Profile) -> Result<Exit, Failure> {
    let connection = Connection::open(profile).await?;
    match command {
        AuditCommand::Show(args) => query::show(args, profile, &connection).await,
        AuditCommand::Query(args) => query::run(*args, profile, &connection).await,
        AuditCommand::Replay(args) => replay::run(args, profile, &connection).await,
        AuditCommand::Prove(args) => prove::run(args, profile, &connection).await,
        AuditCommand::Export(args) => export::run(args, profile, &connection).await,
        AuditCommand::Reconcile(args) => reconcile::run(args, profile, &connection).await,
        AuditCommand::Stats(args) => report::run(Kind::Statistics, args, profile, &connection).await,
        AuditCommand::AccessList(args) => report::run(Kind::AccessList, args, profile, &connection).await,
        AuditCommand::Anomalies(args) => report::run(Kind::Anomalies, args, profile, &connection).await,
        AuditCommand::DpiaFacts(args) => report::run(Kind::DpiaFacts, args, profile, &connection).await,
        AuditCommand::Refer(args) => refer::run(args, profile, &connection).await,
        AuditCommand::SubjectAccess(args) => subject_access::run(args, profile, &connection).await,
        AuditCommand::Verify(_) | AuditCommand::ExportKey(_) => {
            Err(Failure::fault("this command works on files"))
        }
    }
}
