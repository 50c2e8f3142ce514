//! `likeness retention …`: why and until when records are kept, what is due, what left use, and proof of what was erased.

use clap::{Args, Subcommand};
use likeness_proto::v1::RequestContext;

use super::{
    connect::{Connection, Link},
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};
use likeness_proto::v1::retention_service_client::RetentionServiceClient;

mod alter;
mod certificate;
mod decide;
mod erase;
mod events;
mod list;
mod numbers;
mod reimports;
mod rules;
mod run;
pub(super) mod subject;
#[cfg(test)]
mod tests;
mod withdrawn;
pub(super) mod words;

/// The purpose of those who answer for records; assumed where nothing else is said.
const PURPOSE: &str = "record_management";

/// A retention command.
#[derive(Args, Debug)]
pub struct RetentionArgs {
    #[command(subcommand)]
    command: RetentionCommand,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
enum RetentionCommand {
    /// Why and until when a record is kept
    Show(alter::ShowArgs),
    /// Record a custody event, or another outcome of one that is known
    Event(alter::EventArgs),
    /// Record the custody events of a file, one per line
    Events(events::EventsArgs),
    /// Say who the person is to the police
    Category(alter::CategoryArgs),
    /// Set or take back the date of birth
    Birth(alter::BirthArgs),
    /// Close the case: found, identified, consent withdrawn, death registered
    Close(alter::CloseArgs),
    /// Take a closure back
    Reopen(alter::ReopenArgs),
    /// Decide, by the National Retention Assessment Criteria, whether a record is kept
    Review(decide::ReviewArgs),
    /// Place or lift a legal hold
    #[command(subcommand)]
    Hold(decide::HoldCommand),
    /// List the records that nothing retains any more
    Due(list::DueArgs),
    /// List the records that are due, to be reviewed, without an outcome, or beyond use
    List(list::ListArgs),
    /// Apply the rules now; the server does so by itself, too
    Run(run::RunArgs),
    /// Count the records of a pool by state and list
    Report(list::ReportArgs),
    /// Count persons and images by state, outcome, age, group and what could go, held against the rows of the store
    Numbers(numbers::NumbersArgs),
    /// Read the rules in force, or an earlier version of them
    Rules(rules::RulesArgs),
    /// Say which records other rules would change, and why; changes nothing
    Simulate(rules::SimulateArgs),
    /// Put other rules in force. Default purpose `system_administration`
    Activate(rules::ActivateArgs),
    /// Put a record beyond use until it is erased, or erase it at once
    Erase(erase::EraseArgs),
    /// Fetch the signed certificate of an erasure
    Certificate(certificate::CertificateArgs),
    /// Check a certificate with the public key alone; asks no server
    VerifyCertificate(certificate::VerifyArgs),
    /// For auditors: a record that is beyond use, or what is left of an erased one
    Withdrawn(withdrawn::WithdrawnArgs),
    /// List what came in again after its person left use, and was held back
    Reimports(reimports::ReimportsArgs),
    /// Decide whether such a reference may come in again
    Decide(reimports::DecideArgs),
}

/// The verification of a certificate, which needs neither server nor profile.
///
/// # Errors
/// A file cannot be read. A certificate that does not verify is not an error but [`Exit::AuditFailed`].
pub fn offline(args: &RetentionArgs) -> Option<Result<Exit, Failure>> {
    match &args.command {
        RetentionCommand::VerifyCertificate(verify) => Some(certificate::verify(verify, args.json)),
        _ => None,
    }
}

/// Calls the service and says what it answered.
///
/// # Errors
/// A file cannot be read or written, or the service refuses or fails.
pub async fn run(args: RetentionArgs, profile: &Profile) -> Result<Exit, Failure> {
    let json = args.json;
    match args.command {
        RetentionCommand::Show(args) => alter::show(args, profile, json).await,
        RetentionCommand::Event(args) => alter::event(args, profile, json).await,
        RetentionCommand::Events(args) => events::run(args, profile, json).await,
        RetentionCommand::Category(args) => alter::category(args, profile, json).await,
        RetentionCommand::Birth(args) => alter::birth(args, profile, json).await,
        RetentionCommand::Close(args) => alter::close(args, profile, json).await,
        RetentionCommand::Reopen(args) => alter::reopen(args, profile, json).await,
        RetentionCommand::Review(args) => decide::review(args, profile, json).await,
        RetentionCommand::Hold(command) => decide::hold(command, profile, json).await,
        RetentionCommand::Due(args) => list::due(args, profile, json).await,
        RetentionCommand::List(args) => list::list(args, profile, json).await,
        RetentionCommand::Run(args) => run::run(args, profile, json).await,
        RetentionCommand::Report(args) => list::report(args, profile, json).await,
        RetentionCommand::Numbers(args) => numbers::run(args, profile, json).await,
        RetentionCommand::Rules(args) => rules::show(args, profile, json).await,
        RetentionCommand::Simulate(args) => rules::simulate(args, profile, json).await,
        RetentionCommand::Activate(args) => rules::activate(args, profile, json).await,
        RetentionCommand::Erase(args) => erase::run(args, profile, json).await,
        RetentionCommand::Certificate(args) => certificate::fetch(args, profile, json).await,
        RetentionCommand::VerifyCertificate(args) => certificate::verify(&args, json),
        RetentionCommand::Withdrawn(args) => withdrawn::run(args, profile, json).await,
        RetentionCommand::Reimports(args) => reimports::list(args, profile, json).await,
        RetentionCommand::Decide(args) => reimports::decide(args, profile, json).await,
    }
}

async fn client(profile: &Profile) -> Result<RetentionServiceClient<Link>, Failure> {
    Ok(Connection::open(profile).await?.retention())
}

/// The context, with what was left out said for `what`.
fn context(stated: &AssumedContext, profile: &Profile, what: &str) -> Option<RequestContext> {
    Some(stated.wire(profile, PURPOSE, &format!("{what} from the command line")))
}
