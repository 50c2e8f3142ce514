//! `retention show | event | category | birth | close | reopen`: what is known of a record, and what follows from it.

use clap::{Args, builder::PossibleValuesParser};
use jiff::civil::Date;
use likeness_proto::v1::{
    AlterRetentionRequest, CaseClosure, CustodyEvent, GetRetentionRequest, Offence,
    alter_retention_request::Alteration,
};
use likeness_server::retention::{ClosureReason, CustodyOutcome, SubjectCategory};

use super::{client, context, subject::SubjectChoice, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};

/// A record to look at.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// As an earlier version of the rules had it: their digest
    #[arg(long, value_name = "DIGEST", default_value = "", hide_default_value = true)]
    under: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// A custody event.
#[derive(Args, Debug)]
pub struct EventArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// The force's reference of the event, such as the custody record number; the same one again replaces it
    #[arg(long, value_name = "REF")]
    event_reference: String,
    /// The force
    #[arg(long, value_name = "FORCE")]
    force: String,
    /// Day of the event, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    occurred: Date,
    /// An offence with its MoPI group, 1 to 4; `:non-recordable` where it is not recordable. Repeatable
    #[arg(long = "offence", value_name = "CODE:GROUP[:non-recordable]", value_parser = offence)]
    offences: Vec<Offence>,
    /// What came of it
    #[arg(long, value_parser = PossibleValuesParser::new(CustodyOutcome::ALL.map(CustodyOutcome::code)))]
    outcome: String,
    /// Day of the outcome, YYYY-MM-DD; left out while it is pending
    #[arg(long, value_name = "DATE")]
    outcome_on: Option<Date>,
    /// A serious violent, sexual or terrorism offence
    #[arg(long)]
    serious: bool,
    /// A prison sentence was passed
    #[arg(long)]
    prison: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// A category.
#[derive(Args, Debug)]
pub struct CategoryArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Who the person is to the police
    #[arg(long, value_parser = PossibleValuesParser::new(SubjectCategory::ALL.map(SubjectCategory::code)))]
    category: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// A date of birth.
#[derive(Args, Debug)]
pub struct BirthArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Day of birth, YYYY-MM-DD
    #[arg(long, value_name = "DATE", required_unless_present = "unknown")]
    born: Option<Date>,
    /// It is not known after all; the rules treat the person as under 18 then
    #[arg(long, conflicts_with = "born")]
    unknown: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// A closure.
#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Why
    #[arg(long, value_parser = PossibleValuesParser::new(ClosureReason::ALL.map(ClosureReason::code)))]
    reason: String,
    /// The day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    on: Date,
    #[command(flatten)]
    context: AssumedContext,
}

/// A case that is open again.
#[derive(Args, Debug)]
pub struct ReopenArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    #[command(flatten)]
    context: AssumedContext,
}

/// Reads `CODE:GROUP` or `CODE:GROUP:non-recordable`; a code may hold colons itself.
pub fn offence(text: &str) -> Result<Offence, String> {
    const FORM: &str =
        "an offence is CODE:GROUP or CODE:GROUP:non-recordable, and its MoPI group is 1, 2, 3 or 4";
    let (rest, recordable) = text.strip_suffix(":non-recordable").map_or((text, true), |rest| (rest, false));
    let (code, group) = rest.rsplit_once(':').ok_or(FORM)?;
    match group.parse() {
        Ok(mopi_group @ 1..=4) if !code.is_empty() => {
            Ok(Offence { code: code.to_owned(), mopi_group, recordable })
        }
        _ => Err(FORM.to_owned()),
    }
}

/// Shows a record.
///
/// # Errors
/// The service refuses or fails.
pub async fn show(args: ShowArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetRetentionRequest {
        context: context(&args.context, profile, "a look at why a record is kept"),
        pool: args.pool,
        subject: args.subject.reading(),
        rules_digest: args.under,
    };
    let answer = client(profile).await?.get_retention(connect::call(request)).await?.into_inner();
    words::print(answer.retention, answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}

/// Sends one alteration and shows the record as it is then.
///
/// # Errors
/// The service refuses or fails.
pub async fn alter(
    pool: String,
    subject: SubjectChoice,
    alteration: Alteration,
    stated: (&AssumedContext, &str),
    profile: &Profile,
    json: bool,
) -> Result<Exit, Failure> {
    let request = AlterRetentionRequest {
        context: context(stated.0, profile, stated.1),
        pool,
        subject: subject.altering(),
        alteration: Some(alteration),
    };
    let answer = client(profile).await?.alter_retention(connect::call(request)).await?.into_inner();
    words::print(answer.retention, answer.receipt.as_ref(), json)?;
    Ok(Exit::Done)
}

/// Records a custody event.
///
/// # Errors
/// The service refuses or fails.
pub async fn event(args: EventArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let event = CustodyEvent {
        reference: args.event_reference,
        force: args.force,
        occurred_on: args.occurred.to_string(),
        offences: args.offences,
        outcome: args.outcome,
        outcome_on: args.outcome_on.map(|on| on.to_string()).unwrap_or_default(),
        serious: args.serious,
        prison: args.prison,
    };
    let what = (&args.context, "a custody event recorded");
    alter(args.pool, args.subject, Alteration::CustodyEvent(event), what, profile, json).await
}

/// Sets the category.
///
/// # Errors
/// The service refuses or fails.
pub async fn category(args: CategoryArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let what = (&args.context, "the category of a record set");
    alter(args.pool, args.subject, Alteration::Category(args.category), what, profile, json).await
}

/// Sets the date of birth, or takes it back.
///
/// # Errors
/// The service refuses or fails.
pub async fn birth(args: BirthArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let born = args.born.map_or_else(|| "unknown".to_owned(), |born| born.to_string());
    let what = (&args.context, "the date of birth in a record set");
    alter(args.pool, args.subject, Alteration::DateOfBirth(born), what, profile, json).await
}

/// Closes the case.
///
/// # Errors
/// The service refuses or fails.
pub async fn close(args: CloseArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let closure = CaseClosure { reason: args.reason, on: args.on.to_string() };
    let what = (&args.context, "a case closed");
    alter(args.pool, args.subject, Alteration::Close(closure), what, profile, json).await
}

/// Takes the closure back.
///
/// # Errors
/// The service refuses or fails.
pub async fn reopen(args: ReopenArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let what = (&args.context, "a case opened again");
    alter(args.pool, args.subject, Alteration::Reopen(true), what, profile, json).await
}
