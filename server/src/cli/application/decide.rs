//! `application decide | decide-appeal`: a person decides, and says why.

use clap::{Args, builder::PossibleValuesParser};
use likeness_proto::v1::{DecideAppealRequest, DecideApplicationRequest, StatedDecision};
use likeness_server::retention::application::{Seniority, Verdict};
use tonic::Status;

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};

/// A decision. Who decides is whose token this is, and the day is today.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("verdict").args(["agree", "refuse"]).required(true))]
pub struct DecideArgs {
    /// The pool
    pool: String,
    /// The application, by its id
    application: String,
    /// The record is erased
    #[arg(long)]
    agree: bool,
    /// The record stays as long as the rules say
    #[arg(long)]
    refuse: bool,
    /// How senior you are
    #[arg(long, value_parser = PossibleValuesParser::new(Seniority::ALL.map(Seniority::code)))]
    seniority: String,
    /// By which authority you decide, such as the chief officer's delegation (1 to 256 characters)
    #[arg(long, value_name = "TEXT")]
    authority: String,
    /// Why (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Refusing where deletion is presumed: the policing purpose for which keeping the record is necessary
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    policing_purpose: String,
    /// Refusing where deletion is presumed: the exceptional reason
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    exceptional_reason: String,
    /// Refusing for an image taken under 18: why the reason meets the higher test
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why_highly_exceptional: String,
    #[command(flatten)]
    context: AssumedContext,
}

impl DecideArgs {
    fn stated(&self) -> StatedDecision {
        let verdict = if self.agree { Verdict::Agreed } else { Verdict::Refused };
        StatedDecision {
            verdict: verdict.code().to_owned(),
            seniority: self.seniority.clone(),
            authority: self.authority.clone(),
            reason: self.reason.clone(),
            policing_purpose: self.policing_purpose.clone(),
            exceptional_reason: self.exceptional_reason.clone(),
            why_highly_exceptional: self.why_highly_exceptional.clone(),
        }
    }
}

/// Adds where it is said what a refusal must show.
fn explained(status: Status) -> Failure {
    let failure = Failure::from(status);
    let code = failure.refusal().map(|refusal| refusal.code.clone()).unwrap_or_default();
    match code.as_str() {
        "presumption_of_deletion" | "not_senior_enough" => failure.advise(
            "`likeness application show` says what a refusal must show: `--policing-purpose`, `--exceptional-reason`, \
             `--why-highly-exceptional`, each in words of its own, and `--seniority`",
        ),
        _ => failure,
    }
}

/// Decides an application.
///
/// # Errors
/// The service refuses or fails.
pub async fn decide(args: DecideArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = DecideApplicationRequest {
        context: context(&args.context, profile, "an application for deletion decided"),
        decision: Some(args.stated()),
        pool: args.pool,
        application_id: args.application,
    };
    let answer = client(profile)
        .await?
        .decide_application(connect::call(request))
        .await
        .map_err(explained)?
        .into_inner();
    words::print(answer.application, answer.consequence.as_ref(), answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}

/// Decides an appeal.
///
/// # Errors
/// The service refuses or fails.
pub async fn decide_appeal(args: DecideArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = DecideAppealRequest {
        context: context(&args.context, profile, "an appeal against a refusal to delete decided"),
        decision: Some(args.stated()),
        pool: args.pool,
        application_id: args.application,
    };
    let answer =
        client(profile).await?.decide_appeal(connect::call(request)).await.map_err(explained)?.into_inner();
    words::print(answer.application, answer.consequence.as_ref(), answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}
