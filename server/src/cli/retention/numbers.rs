//! `retention numbers`: what is held, of whom, why, and what could go.

use clap::Args;
use likeness_proto::v1::{GetRetentionNumbersRequest, GetRetentionNumbersResponse, RetentionCounts};
use serde_json::{Map, Value, json};

use super::{client, context};
use crate::cli::{
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
    wording,
};

/// A count.
#[derive(Args, Debug)]
pub struct NumbersArgs {
    /// The pool
    pool: String,
    /// In the form that may be published: without counts of 1 to 4, and without whatever would give them away
    #[arg(long)]
    publishable: bool,
    #[command(flatten)]
    context: AssumedContext,
}

/// Counts, and says the numbers.
///
/// # Errors
/// The service refuses or fails; `numbers_disagree` when the totals are not those of the store.
pub async fn run(args: NumbersArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetRetentionNumbersRequest {
        context: context(&args.context, profile, "the records of a pool counted"),
        pool: args.pool,
        publishable: args.publishable,
    };
    let numbers = client(profile).await?.get_retention_numbers(connect::call(request)).await?.into_inner();
    if json {
        let mut answer = to_json(&numbers);
        answer["receipt"] = part::maybe_receipt(numbers.receipt.as_ref());
        output::json(&answer)?;
    } else {
        output::line(&text(&numbers))?;
        numbers.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))?;
    }
    Ok(Exit::Done)
}

fn counts(counts: Option<&RetentionCounts>) -> Value {
    counts.map_or(
        Value::Null,
        |counts| json!({ "persons": counts.persons, "images": counts.images, "enrolled": counts.enrolled }),
    )
}

fn to_json(numbers: &GetRetentionNumbersResponse) -> Value {
    let mut divisions: Map<String, Value> = Map::new();
    for cell in &numbers.cells {
        let division = divisions.entry(cell.division.clone()).or_insert_with(|| json!({}));
        division[&cell.cell] = counts(cell.counts.as_ref());
    }
    json!({
        "counted_on": numbers.counted_on, "rules_digest": numbers.rules_digest, "publishable": numbers.publishable,
        "total": counts(numbers.total.as_ref()), "divisions": divisions,
    })
}

/// The numbers as a table: a line for each cell, and the total.
pub fn text(numbers: &GetRetentionNumbersResponse) -> String {
    let mut table = output::table(["by", "", "persons", "images", "searchable"]);
    let mut before = "";
    for cell in &numbers.cells {
        let by =
            if cell.division == before { String::new() } else { plain(&cell.division).replace('_', " ") };
        before = &cell.division;
        let [persons, images, enrolled] = columns(cell.counts.as_ref());
        table.add_row([by, plain(&cell.cell).replace('_', " "), persons, images, enrolled]);
    }
    let [persons, images, enrolled] = columns(numbers.total.as_ref());
    table.add_row(["total".to_owned(), String::new(), persons, images, enrolled]);
    let reconciled = if numbers.publishable {
        "May be published: small counts are withheld, with whatever would give them away."
    } else {
        "Exact, and not for publication. Every division adds up to the total, and the total to the rows of the store."
    };
    format!("{}\n{reconciled}\nCounted on {}", table.trim_fmt(), plain(&numbers.counted_on))
}

fn columns(counts: Option<&RetentionCounts>) -> [String; 3] {
    counts.map_or_else(
        || ["withheld", "withheld", "withheld"].map(str::to_owned),
        |counts| [counts.persons, counts.images, counts.enrolled].map(grouped),
    )
}
