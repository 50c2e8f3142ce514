//! `application show`: the applications about a record, and what a refusal would have to show today.

use clap::Args;
use likeness_proto::v1::GetApplicationsRequest;
use serde_json::{Value, json};

use super::{client, context, words};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    retention::subject::SubjectChoice,
    text::plain,
    wording,
};

/// A record to look at.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    #[command(flatten)]
    context: AssumedContext,
}

/// Shows.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: ShowArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetApplicationsRequest {
        context: context(&args.context, profile, "a look at the applications about a record"),
        pool: args.pool,
        subject: args.subject.applied(),
    };
    let answer = client(profile).await?.get_applications(connect::call(request)).await?.into_inner();
    if json {
        output::json(&json!({
            "subject_id": answer.subject_id,
            "applications": answer.applications.iter().map(words::to_json).collect::<Value>(),
            "presumption_today": words::presumption_json(answer.presumption_today.as_ref()),
            "consequence": words::consequence_json(answer.consequence.as_ref()),
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
        return Ok(Exit::Done);
    }
    if answer.applications.is_empty() {
        output::line(&format!("No application about subject {} was received.", plain(&answer.subject_id)))?;
    }
    for application in &answer.applications {
        output::line(&words::to_text(application))?;
        output::line("")?;
    }
    if let Some(presumption) = &answer.presumption_today {
        let rule = plain(&presumption.rule);
        output::line(&wording::paragraph(
            "An application that came in today",
            &format!("{} (rule `{rule}`)", presumption.words),
        ))?;
    }
    if let Some(follows) = &answer.consequence {
        output::line(&words::follows(follows))?;
    }
    answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    Ok(Exit::Done)
}
