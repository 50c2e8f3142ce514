//! `likeness protect set | lift | list`: subjects under a protected view.

use clap::{Args, Subcommand, ValueEnum};
use likeness_proto::v1::{
    ListProtectedRequest, ProtectRequest, ProtectedSubject, ProtectedView, Protection, Receipt,
    UnprotectRequest, protect_request, unprotect_request,
};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{plain, short},
    wording,
};

const PURPOSE: &str = "record_management";

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum ProtectCommand {
    /// Put a subject under a protected view, or change its mark
    Set(SetArgs),
    /// Lift a mark
    Lift(LiftArgs),
    /// List the subjects of a pool that are under a protected view
    List(ListArgs),
}

impl ProtectCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Set(args) => args.json,
            Self::Lift(args) => args.json,
            Self::List(args) => args.json,
        }
    }
}

/// What others are told.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum View {
    /// What they would be told if there were no such subject
    ExistenceSuppressed,
    /// Which unit to ask, and nothing of what there is
    ContactOwner,
}

/// Whose mark.
#[derive(Args, Debug)]
struct Chosen {
    /// The subject: your system's reference, or the service's id with `--by-id`
    subject: String,
    /// Pool that holds it
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// SUBJECT is an id that the service assigned
    #[arg(long)]
    by_id: bool,
}

/// A mark to put.
#[derive(Args, Debug)]
pub struct SetArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// What others are told
    #[arg(long, value_enum)]
    view: View,
    /// The unit that answers for the record, and is told of every hit by a security event
    #[arg(long, value_name = "UNIT")]
    owner: String,
    /// Why (8 to 1,000 characters); shown to holders of the right only
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// When somebody must have looked at it again; the mark stays after that day
    #[arg(long, value_name = "DATE")]
    review_due: String,
    /// Its last day, when it has one
    #[arg(long, value_name = "DATE")]
    ends_on: Option<String>,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A mark to lift.
#[derive(Args, Debug)]
pub struct LiftArgs {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A pool to list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The pool
    #[arg(long, value_name = "NAME")]
    pool: String,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Puts, lifts or lists.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(command: ProtectCommand, profile: &Profile) -> Result<Exit, Failure> {
    let connection = Connection::open(profile).await?;
    let mut client = connection.protection();
    match command {
        ProtectCommand::Set(args) => {
            let Chosen { subject, pool, by_id } = args.chosen;
            let view = match args.view {
                View::ExistenceSuppressed => ProtectedView::ExistenceSuppressed,
                View::ContactOwner => ProtectedView::ContactOwner,
            };
            let request = ProtectRequest {
                context: Some(args.context.wire(
                    profile,
                    PURPOSE,
                    "protected view set from the command line",
                )),
                pool,
                subject: Some(if by_id {
                    protect_request::Subject::SubjectId(subject)
                } else {
                    protect_request::Subject::SubjectReference(subject)
                }),
                protection: Some(Protection {
                    view: view.into(),
                    owner: args.owner,
                    reason: args.reason,
                    review_due: args.review_due,
                    ends_on: args.ends_on.unwrap_or_default(),
                }),
            };
            let answer = client.protect(connect::call(request)).await?.into_inner();
            told(answer.subject, answer.receipt.as_ref(), args.json)
        }
        ProtectCommand::Lift(args) => {
            let Chosen { subject, pool, by_id } = args.chosen;
            let request = UnprotectRequest {
                context: Some(args.context.wire(
                    profile,
                    PURPOSE,
                    "protected view lifted from the command line",
                )),
                pool,
                subject: Some(if by_id {
                    unprotect_request::Subject::SubjectId(subject)
                } else {
                    unprotect_request::Subject::SubjectReference(subject)
                }),
            };
            let answer = client.unprotect(connect::call(request)).await?.into_inner();
            told(answer.subject, answer.receipt.as_ref(), args.json)
        }
        ProtectCommand::List(args) => {
            let context = args.context.wire(profile, PURPOSE, "protected views listed on the command line");
            let request = ListProtectedRequest { context: Some(context), pool: args.pool };
            let answer = client.list_protected(connect::call(request)).await?.into_inner();
            if args.json {
                output::json(&json!({
                    "subjects": answer.subjects.iter().map(to_json).collect::<Value>(),
                    "receipt": part::maybe_receipt(answer.receipt.as_ref()),
                }))?;
                return Ok(Exit::Done);
            }
            let mut table = output::table(["subject", "id", "view", "owner", "review due", "last day"]);
            for at in &answer.subjects {
                let mark = at.protection.clone().unwrap_or_default();
                let overdue = if at.review_overdue { " (overdue)" } else { "" };
                table.add_row([
                    short(&at.subject_reference, 40),
                    plain(&at.subject_id),
                    view_code(&mark).to_owned(),
                    short(&mark.owner, 40),
                    format!("{}{overdue}", plain(&mark.review_due)),
                    if mark.ends_on.is_empty() { "none".to_owned() } else { plain(&mark.ends_on) },
                ]);
            }
            output::line(&table.trim_fmt())?;
            if let Some(receipt) = &answer.receipt {
                output::line(&wording::receipt_line(receipt))?;
            }
            Ok(Exit::Done)
        }
    }
}

fn told(subject: Option<ProtectedSubject>, receipt: Option<&Receipt>, json: bool) -> Result<Exit, Failure> {
    let subject = subject.unwrap_or_default();
    if json {
        output::json(&json!({ "subject": to_json(&subject), "receipt": part::maybe_receipt(receipt) }))?;
        return Ok(Exit::Done);
    }
    let state = match &subject.protection {
        Some(mark) => format!(
            "is under the protected view `{}` of {}, to be reviewed by {}",
            view_code(mark),
            plain(&mark.owner),
            plain(&mark.review_due)
        ),
        None => "is under no protected view".to_owned(),
    };
    output::line(&format!("Subject {} {state}.", plain(&subject.subject_reference)))?;
    if let Some(receipt) = receipt {
        output::line(&wording::receipt_line(receipt))?;
    }
    Ok(Exit::Done)
}

/// The name of the view, as in the log.
pub fn view_code(mark: &Protection) -> &'static str {
    match mark.view() {
        ProtectedView::Unspecified => "unknown",
        ProtectedView::ExistenceSuppressed => "existence_suppressed",
        ProtectedView::ContactOwner => "contact_owner",
    }
}

/// The mark as JSON.
pub fn mark_json(mark: &Protection) -> Value {
    json!({
        "view": view_code(mark),
        "owner": mark.owner,
        "reason": mark.reason,
        "review_due": mark.review_due,
        "ends_on": part::text(&mark.ends_on),
    })
}

fn to_json(at: &ProtectedSubject) -> Value {
    json!({
        "subject": at.subject_reference,
        "subject_id": at.subject_id,
        "source_system": at.source_system,
        "protection": at.protection.as_ref().map(mark_json),
        "review_overdue": at.review_overdue,
    })
}
