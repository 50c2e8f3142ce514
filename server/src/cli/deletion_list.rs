//! `likeness deletion-list …`: lists of images that a force must delete, signed, handed over, acknowledged and compared.

use clap::{Args, Subcommand};
use likeness_proto::v1::{RequestContext, deletion_list_service_client::DeletionListServiceClient};

use super::{
    connect::{Connection, Link},
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};

mod acknowledge;
mod follow;
mod make;
mod show;
#[cfg(test)]
mod tests;
mod verify;
mod words;

/// The purpose of those who answer for records; assumed where nothing else is said.
const PURPOSE: &str = "record_management";

/// A command about deletion lists.
#[derive(Args, Debug)]
pub struct DeletionListArgs {
    #[command(subcommand)]
    command: DeletionListCommand,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
enum DeletionListCommand {
    /// Make a list for one force, of what is due or beyond use and on no list yet
    Make(make::MakeArgs),
    /// Say which lists a pool has, and how far they have come
    List(show::ListArgs),
    /// Show what a force said about each line; with a recipient, hand the list over
    Show(show::ShowArgs),
    /// Record what a force says about lines of its list, one by one or from its file
    Acknowledge(acknowledge::AcknowledgeArgs),
    /// Report the lines that were not acknowledged in time, by force
    Late(follow::LateArgs),
    /// Compare what the force said with what the national copies are
    Reconcile(follow::ReconcileArgs),
    /// Check a list and its statement with the public key alone; asks no server
    Verify(verify::VerifyArgs),
}

/// The verification of a list, which needs neither server nor profile.
///
/// # Errors
/// A file cannot be read. A list that does not verify is not an error but [`Exit::AuditFailed`].
pub fn offline(args: &DeletionListArgs) -> Option<Result<Exit, Failure>> {
    match &args.command {
        DeletionListCommand::Verify(verify) => Some(verify::run(verify, args.json)),
        _ => None,
    }
}

/// Calls the service and says what it answered.
///
/// # Errors
/// A file cannot be read or written, or the service refuses or fails.
pub async fn run(args: DeletionListArgs, profile: &Profile) -> Result<Exit, Failure> {
    let json = args.json;
    match args.command {
        DeletionListCommand::Make(args) => make::run(args, profile, json).await,
        DeletionListCommand::List(args) => show::list(args, profile, json).await,
        DeletionListCommand::Show(args) => show::show(args, profile, json).await,
        DeletionListCommand::Acknowledge(args) => acknowledge::run(args, profile, json).await,
        DeletionListCommand::Late(args) => follow::late(args, profile, json).await,
        DeletionListCommand::Reconcile(args) => follow::reconcile(args, profile, json).await,
        DeletionListCommand::Verify(args) => verify::run(&args, json),
    }
}

async fn client(profile: &Profile) -> Result<DeletionListServiceClient<Link>, Failure> {
    Ok(Connection::open(profile).await?.deletion_list())
}

/// The context, with what was left out said for `what`.
fn context(stated: &AssumedContext, profile: &Profile, what: &str) -> Option<RequestContext> {
    Some(stated.wire(profile, PURPOSE, &format!("{what} from the command line")))
}
