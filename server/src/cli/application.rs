//! `likeness application …`: people who ask that their record be deleted; what was asked, decided, appealed against, and how often.

use clap::{Args, Subcommand};
use likeness_proto::v1::{
    RequestContext, deletion_application_service_client::DeletionApplicationServiceClient,
};

use super::{
    connect::{Connection, Link},
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};

mod decide;
mod list;
mod receive;
mod show;
#[cfg(test)]
mod tests;
mod words;

/// The purpose of those who answer for records; assumed where nothing else is said.
const PURPOSE: &str = "record_management";

/// An application command.
#[derive(Args, Debug)]
pub struct ApplicationArgs {
    #[command(subcommand)]
    command: ApplicationCommand,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
enum ApplicationCommand {
    /// Take an application in; says what a refusal would have to show, and by when it is to be decided
    Receive(receive::ReceiveArgs),
    /// Agree to an application, or refuse it with what the presumption asks for
    Decide(decide::DecideArgs),
    /// Take in an appeal against a refusal
    Appeal(receive::AppealArgs),
    /// Decide an appeal: another person than the one who refused
    DecideAppeal(decide::DecideArgs),
    /// Show the applications about a record, and what a refusal would have to show today
    Show(show::ShowArgs),
    /// List the applications that wait for somebody
    List(list::ListArgs),
    /// Count the applications of each force and what became of them, erased records included
    Statistics(list::StatisticsArgs),
}

/// Calls the service and says what it answered.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: ApplicationArgs, profile: &Profile) -> Result<Exit, Failure> {
    let json = args.json;
    match args.command {
        ApplicationCommand::Receive(args) => receive::receive(args, profile, json).await,
        ApplicationCommand::Decide(args) => decide::decide(args, profile, json).await,
        ApplicationCommand::Appeal(args) => receive::appeal(args, profile, json).await,
        ApplicationCommand::DecideAppeal(args) => decide::decide_appeal(args, profile, json).await,
        ApplicationCommand::Show(args) => show::run(args, profile, json).await,
        ApplicationCommand::List(args) => list::list(args, profile, json).await,
        ApplicationCommand::Statistics(args) => list::statistics(args, profile, json).await,
    }
}

async fn client(profile: &Profile) -> Result<DeletionApplicationServiceClient<Link>, Failure> {
    Ok(Connection::open(profile).await?.application())
}

/// The context, with what was left out said for `what`.
fn context(stated: &AssumedContext, profile: &Profile, what: &str) -> Option<RequestContext> {
    Some(stated.wire(profile, PURPOSE, &format!("{what} from the command line")))
}
