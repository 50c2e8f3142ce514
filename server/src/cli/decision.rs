//! `likeness decision record | list`: what a person thinks of a candidate.

use clap::{Args, Subcommand, ValueEnum};
use likeness_proto::v1::{Decision, ListDecisionsRequest, RecordDecisionRequest, RecordedDecision};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::StatedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{plain, short},
    wording,
};

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum DecisionCommand {
    /// Record your decision about one candidate of a search; yours alone, and your training must be current
    Record(RecordArgs),
    /// List the decisions on the candidates of a search; a first one is shown to others once there is a second
    List(ListArgs),
}

impl DecisionCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Record(args) => args.json,
            Self::List(args) => args.json,
        }
    }
}

/// The scale.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Verdict {
    /// The two may show the same person: worth corroborating by other means
    PossibleMatch,
    /// They show different people
    NoMatch,
    /// The images do not allow an opinion
    Inconclusive,
}

/// A decision.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// Event of the search, from its receipt; of a search of several pools, the event of the pool
    search: String,
    /// Pool that was searched
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// Id of the candidate's subject, as `search --json` shows it
    #[arg(long, value_name = "ID")]
    subject_id: String,
    /// What you think
    #[arg(long, value_enum)]
    decision: Verdict,
    /// What that rests on (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Event of the first decision, when yours is the second; another person must have made it
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    #[command(flatten)]
    context: StatedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A search.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Event of the search
    search: String,
    /// Pool that was searched
    #[arg(long, value_name = "NAME")]
    pool: String,
    #[command(flatten)]
    context: StatedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Records or lists.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(command: DecisionCommand, profile: &Profile) -> Result<Exit, Failure> {
    let connection = Connection::open(profile).await?;
    match command {
        DecisionCommand::Record(args) => {
            let decision = match args.decision {
                Verdict::PossibleMatch => Decision::PossibleMatch,
                Verdict::NoMatch => Decision::NoMatch,
                Verdict::Inconclusive => Decision::Inconclusive,
            };
            let request = RecordDecisionRequest {
                context: Some(args.context.wire(profile)),
                pool: args.pool,
                search_event_id: args.search,
                subject_id: args.subject_id,
                decision: decision.into(),
                reason: args.reason,
                stage: if args.after.is_some() { 2 } else { 1 },
                first_event_id: args.after.unwrap_or_default(),
            };
            let answer = connection.decision().record_decision(connect::call(request)).await?.into_inner();
            let receipt = answer.receipt.as_ref();
            let made = RecordedDecision {
                event_id: receipt.map(|receipt| receipt.event_id.clone()).unwrap_or_default(),
                ..answer.decision.unwrap_or_default()
            };
            if args.json {
                output::json(
                    &json!({ "decision": to_json(&made), "receipt": part::maybe_receipt(receipt) }),
                )?;
                return Ok(Exit::Done);
            }
            output::line(&format!(
                "Recorded as event {}: `{}` for subject {}, stage {}.",
                plain(&made.event_id),
                word(&made),
                plain(&made.subject_id),
                made.stage
            ))?;
            if let Some(receipt) = receipt {
                output::line(&wording::receipt_line(receipt))?;
            }
        }
        DecisionCommand::List(args) => {
            let request = ListDecisionsRequest {
                context: Some(args.context.wire(profile)),
                pool: args.pool,
                search_event_id: args.search,
            };
            let answer = connection.decision().list_decisions(connect::call(request)).await?.into_inner();
            if args.json {
                output::json(&json!({
                    "decisions": answer.decisions.iter().map(to_json).collect::<Value>(),
                    "receipt": part::maybe_receipt(answer.receipt.as_ref()),
                }))?;
                return Ok(Exit::Done);
            }
            let mut table = output::table(["event", "subject id", "stage", "decision", "reason", "by", "at"]);
            for made in &answer.decisions {
                table.add_row([
                    plain(&made.event_id),
                    plain(&made.subject_id),
                    made.stage.to_string(),
                    word(made).to_owned(),
                    short(&made.reason, 48),
                    format!("{} of {}", plain(&made.person), plain(&made.organisation)),
                    plain(&made.decided_at),
                ]);
            }
            output::line(&table.trim_fmt())?;
            if let Some(receipt) = &answer.receipt {
                output::line(&wording::receipt_line(receipt))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn word(made: &RecordedDecision) -> &'static str {
    match made.decision() {
        Decision::Unspecified => "withheld until the second review",
        Decision::PossibleMatch => "possible_match",
        Decision::NoMatch => "no_match",
        Decision::Inconclusive => "inconclusive",
    }
}

fn to_json(made: &RecordedDecision) -> Value {
    let withheld = made.decision() == Decision::Unspecified;
    json!({
        "event_id": made.event_id,
        "search_event_id": made.search_event_id,
        "subject_id": made.subject_id,
        "stage": made.stage,
        "withheld": withheld,
        "decision": if withheld { Value::Null } else { word(made).into() },
        "reason": part::text(&made.reason),
        "person": made.person,
        "organisation": made.organisation,
        "decided_at": made.decided_at,
        "seconds_since_search": made.seconds_since_search,
        "first_event_id": part::text(&made.first_event_id),
    })
}
