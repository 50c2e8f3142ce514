//! `retention review` and `retention hold place | lift`: decisions of a person about keeping a record.

use std::collections::HashMap;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use likeness_proto::v1::{
    LegalHoldLifted, LegalHoldPlaced, NracAnswer, RetentionReview, alter_retention_request::Alteration,
};
use likeness_server::retention::NracAnswers;

use super::{alter::alter, subject::SubjectChoice};
use crate::cli::{
    context::AssumedContext,
    failure::{Exit, Failure},
    profile::Profile,
};

/// Keep it or let it go.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Decision {
    /// Keep it until the next review
    Retain,
    /// Nothing justifies keeping it
    Dispose,
}

/// A review.
#[derive(Args, Debug)]
pub struct ReviewArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// What you decide
    #[arg(long, value_enum)]
    decision: Decision,
    /// Why keeping it is necessary and proportionate, or why it is not (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    necessity: String,
    /// A criterion that is answered yes, and why; each one left out is answered no. Criteria: serious_harm,
    /// children_or_vulnerable, breach_of_trust, links_that_raise_risk, substance_misuse, mental_state. Repeatable
    #[arg(long, value_name = "CRITERION=TEXT", value_parser = criterion)]
    yes: Vec<(String, String)>,
    /// When it is reviewed again, YYYY-MM-DD; there for every decision to retain
    #[arg(long, value_name = "DATE", required_if_eq("decision", "retain"))]
    next: Option<Date>,
    #[command(flatten)]
    context: AssumedContext,
}

/// A hold to place or lift.
#[derive(Subcommand, Debug)]
pub enum HoldCommand {
    /// Keep a record from every erasure until a day
    Place(PlaceArgs),
    /// End a hold before its time
    Lift(LiftArgs),
}

/// A hold.
#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Its id, unique in the record
    #[arg(long, value_name = "ID")]
    id: String,
    /// Who may demand it: court, coroner, inquiry, statute
    #[arg(long, value_name = "TEXT")]
    authority: String,
    /// What it covers
    #[arg(long, value_name = "TEXT")]
    scope: String,
    /// Why (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The first day on which it holds no more, YYYY-MM-DD; there is no hold without an end
    #[arg(long, value_name = "DATE")]
    expires: Date,
    #[command(flatten)]
    context: AssumedContext,
}

/// The end of a hold.
#[derive(Args, Debug)]
pub struct LiftArgs {
    /// The pool
    pool: String,
    #[command(flatten)]
    subject: SubjectChoice,
    /// Its id
    #[arg(long, value_name = "ID")]
    id: String,
    /// Why (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    context: AssumedContext,
}

/// Reads `CRITERION=TEXT` with a criterion that exists.
fn criterion(text: &str) -> Result<(String, String), String> {
    let names = NracAnswers::default().each().map(|(name, _)| name.trim_start_matches("answers."));
    match text.split_once('=') {
        Some((name, grounds)) if names.contains(&name) && !grounds.trim().is_empty() => {
            Ok((name.to_owned(), grounds.to_owned()))
        }
        _ => Err(format!("give CRITERION=TEXT with one of {}", names.join(", "))),
    }
}

/// Records a review.
///
/// # Errors
/// A criterion is given twice, or the service refuses or fails.
pub async fn review(args: ReviewArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let mut criteria = HashMap::new();
    for (name, text) in args.yes {
        if criteria.insert(name.clone(), NracAnswer { yes: true, text }).is_some() {
            return Err(Failure::usage(format!("`--yes {name}=` is given twice"))
                .advise("give each criterion once, with all its grounds"));
        }
    }
    let review = RetentionReview {
        criteria,
        necessity: args.necessity,
        decision: match args.decision {
            Decision::Retain => "retain",
            Decision::Dispose => "dispose",
        }
        .to_owned(),
        next_review_on: args.next.map(|next| next.to_string()).unwrap_or_default(),
    };
    let what = (&args.context, "review of a record");
    alter(args.pool, args.subject, Alteration::Review(review), what, profile, json).await
}

/// Places or lifts a hold.
///
/// # Errors
/// The service refuses or fails.
pub async fn hold(command: HoldCommand, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    match command {
        HoldCommand::Place(args) => {
            let hold = LegalHoldPlaced {
                id: args.id,
                authority: args.authority,
                scope: args.scope,
                reason: args.reason,
                expires_on: args.expires.to_string(),
            };
            let what = (&args.context, "a legal hold placed");
            alter(args.pool, args.subject, Alteration::PlaceHold(hold), what, profile, json).await
        }
        HoldCommand::Lift(args) => {
            let lifted = LegalHoldLifted { id: args.id, reason: args.reason };
            let what = (&args.context, "a legal hold lifted");
            alter(args.pool, args.subject, Alteration::LiftHold(lifted), what, profile, json).await
        }
    }
}
