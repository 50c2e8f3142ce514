//! `likeness audit refer`: records that an event was referred to a line manager or to professional standards.

use clap::{Args, ValueEnum};
use likeness_proto::v1::{RecordReferralRequest, record_referral_request::Body};

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure},
    output,
    profile::Profile,
};

/// To whom.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum To {
    /// The person's line manager
    LineManager,
    /// The professional standards department
    ProfessionalStandards,
}

/// A referral.
#[derive(Args, Debug)]
pub struct ReferArgs {
    /// The event
    event: String,
    #[command(flatten)]
    context: AuditContext,
    /// To whom
    #[arg(long, value_enum)]
    to: To,
    /// In which organisation
    #[arg(long, value_name = "ORG")]
    organisation: String,
}

/// Records it.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: ReferArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let body = match args.to {
        To::LineManager => Body::LineManager,
        To::ProfessionalStandards => Body::ProfessionalStandards,
    };
    let request = RecordReferralRequest {
        context: Some(args.context.wire(profile)),
        event_id: args.event,
        body: body.into(),
        organisation: args.organisation,
    };
    let answer = connection.audit().record_referral(connect::call(request)).await?.into_inner();
    let event = answer.receipt.map(|receipt| receipt.event_id).unwrap_or_default();
    output::line(&format!("The referral is recorded as event {event}."))?;
    Ok(Exit::Done)
}
