//! `application receive | appeal`: what comes in from the person.

use clap::Args;
use jiff::civil::Date;
use likeness_proto::v1::{AppealApplicationRequest, ReceiveApplicationRequest};

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
    retention::subject::SubjectChoice,
};

/// An application.
#[derive(Args, Debug)]
pub struct ReceiveArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Code of the force that decides, such as `west-mercia`; it stays in the statistics
    #[arg(long, value_name = "FORCE")]
    force: String,
    /// The day on which it came in, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    received: Option<Date>,
    /// The person's grounds (at most 2,000 characters); none are needed
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    grounds: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// An appeal.
#[derive(Args, Debug)]
pub struct AppealArgs {
    /// The pool
    pool: String,
    /// The application, by its id
    application: String,
    /// The day on which the appeal came in, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    received: Option<Date>,
    /// The person's grounds (1 to 2,000 characters)
    #[arg(long, value_name = "TEXT")]
    grounds: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Takes an application in.
///
/// # Errors
/// The service refuses or fails.
pub async fn receive(args: ReceiveArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = ReceiveApplicationRequest {
        context: context(&args.context, profile, "an application for deletion received"),
        pool: args.pool,
        subject: args.subject.applying(),
        force: args.force,
        received_on: args.received.map(|on| on.to_string()).unwrap_or_default(),
        grounds: args.grounds,
    };
    let answer = client(profile).await?.receive_application(connect::call(request)).await?.into_inner();
    words::print(answer.application, answer.consequence.as_ref(), answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}

/// Takes an appeal in.
///
/// # Errors
/// The service refuses or fails.
pub async fn appeal(args: AppealArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = AppealApplicationRequest {
        context: context(&args.context, profile, "an appeal against a refusal to delete received"),
        pool: args.pool,
        application_id: args.application,
        received_on: args.received.map(|on| on.to_string()).unwrap_or_default(),
        grounds: args.grounds,
    };
    let answer = client(profile).await?.appeal_application(connect::call(request)).await?.into_inner();
    words::print(answer.application, answer.consequence.as_ref(), answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}
