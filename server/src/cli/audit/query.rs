//! `likeness audit query` and `likeness audit show`: entries for auditors.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{AuditEntry, EntryFilter, QueryEntriesRequest, QueryEntriesResponse};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure, chain},
    json as part, output,
    profile::Profile,
    text::short,
};

/// What to look for. All that is given must hold.
#[derive(Args, Debug)]
pub struct QueryArgs {
    #[command(flatten)]
    context: AuditContext,
    /// Id of the acting person
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Organisation of the acting person
    #[arg(long, value_name = "ORG")]
    organisation: Option<String>,
    /// A subject that was shown or touched
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// An image that was shown or touched
    #[arg(long, value_name = "ID")]
    image: Option<String>,
    /// An image file: events whose probe it was, while their content is retained. Only its SHA-256 is sent
    #[arg(long, value_name = "FILE", conflicts_with = "probe_sha256")]
    probe: Option<PathBuf>,
    /// The same by the image's SHA-256, in hex
    #[arg(long, value_name = "HEX")]
    probe_sha256: Option<String>,
    /// The calling system
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// The caller's own id of an interaction
    #[arg(long, value_name = "REF")]
    reference_id: Option<String>,
    /// Purpose code under which something was done
    #[arg(long, value_name = "CODE")]
    purpose_code: Option<String>,
    /// Pool that was touched
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// One of: collection, alteration, consultation, disclosure, combination, erasure
    #[arg(long, value_name = "WORD")]
    operation: Option<String>,
    /// One of: answered, denied, rejected, failed
    #[arg(long, value_name = "WORD")]
    outcome: Option<String>,
    /// Full name of a call, such as likeness.v1.SearchService/Search or likeness/configuration
    #[arg(long, value_name = "CALL")]
    call: Option<String>,
    /// An event, and those that name it: its outcome, decisions about its candidates, referrals
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// At or after this time, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Start at this position; the last answer says where to go on
    #[arg(long, default_value_t = 0, value_name = "INDEX")]
    start: u64,
    /// At most so many entries
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print JSON, one whole entry per line
    #[arg(long)]
    pub json: bool,
}

/// A look at the latest entries, or at one.
#[derive(Args, Debug)]
pub struct ShowArgs {
    #[command(flatten)]
    context: AuditContext,
    /// Show this one event whole, and what is recorded as belonging to it
    event: Option<String>,
    /// How many of the latest entries to show
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    last: u32,
    /// Print JSON, one whole entry per line
    #[arg(long)]
    pub json: bool,
}

/// Looks entries up and prints them.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: QueryArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let request = QueryEntriesRequest {
        context: Some(args.context.wire(profile)),
        start_index: args.start,
        limit: args.limit,
        latest: false,
        filter: Some(filter(&args)?),
    };
    let answer = connection.audit().query_entries(connect::call(request)).await?.into_inner();
    print(&answer, args.json)?;
    let mut said = Vec::new();
    if let Some(next) = answer.next_index {
        said.push(format!("there may be more: go on with `--start {next}`"));
    }
    if answer.withheld_own > 0 {
        said.push(format!("{} entries about yourself were not shown", answer.withheld_own));
    }
    if !said.is_empty() {
        output::note(&said.join("; "));
    }
    Ok(Exit::Done)
}

fn filter(args: &QueryArgs) -> Result<EntryFilter, Failure> {
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    let probe = match (&args.probe, &args.probe_sha256) {
        (Some(path), _) => {
            let image = std::fs::read(path)
                .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))?;
            Sha256::digest(image).to_vec()
        }
        (None, Some(digest)) => {
            hex::decode(digest).map_err(|_| Failure::usage("`--probe-sha256` is not hex"))?
        }
        (None, None) => Vec::new(),
    };
    Ok(EntryFilter {
        person: text(&args.person),
        organisation: text(&args.organisation),
        subject_id: text(&args.subject),
        image_id: text(&args.image),
        probe_sha256: probe.into(),
        system_name: text(&args.system),
        reference_id: text(&args.reference_id),
        purpose_code: text(&args.purpose_code),
        pool: text(&args.pool),
        operation: text(&args.operation),
        outcome: text(&args.outcome),
        rpc: text(&args.call),
        event_id: text(&args.event),
        from: text(&args.from),
        until: text(&args.until),
    })
}

/// Shows the latest entries, or one.
///
/// # Errors
/// The service refuses or fails, or there is no such event.
pub async fn show(args: ShowArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let filter = EntryFilter { event_id: args.event.clone().unwrap_or_default(), ..EntryFilter::default() };
    let request = QueryEntriesRequest {
        context: Some(args.context.wire(profile)),
        filter: Some(filter),
        start_index: 0,
        limit: args.last,
        latest: true,
    };
    let answer = connection.audit().query_entries(connect::call(request)).await?.into_inner();
    match &args.event {
        Some(event) if answer.entries.is_empty() => {
            let why = if answer.withheld_own > 0 {
                format!("event `{event}` is about yourself; another auditor may read it")
            } else {
                format!("there is no event `{event}` in what you may read of the log")
            };
            Err(Failure::new(Exit::Refused, why))
        }
        Some(_) if !args.json => {
            for entry in &answer.entries {
                output::json(&whole(entry)?)?;
            }
            Ok(Exit::Done)
        }
        _ => {
            print(&answer, args.json)?;
            if answer.withheld_own > 0 {
                output::note(&format!("{} entries about yourself were not shown", answer.withheld_own));
            }
            Ok(Exit::Done)
        }
    }
}

fn whole(entry: &AuditEntry) -> Result<Value, Failure> {
    let body: Value = serde_json::from_slice(&entry.body)
        .map_err(|error| Failure::fault(format!("entry {} is not JSON: {}", entry.index, chain(&error))))?;
    Ok(json!({ "index": entry.index, "hash": hex::encode(&entry.hash), "entry": body }))
}

fn print(answer: &QueryEntriesResponse, as_json: bool) -> Result<(), Failure> {
    let mut table = output::table([
        "entry",
        "when",
        "who",
        "operation",
        "call",
        "outcome",
        "pool",
        "purpose",
        "reference",
        "event",
    ]);
    for entry in &answer.entries {
        let value = whole(entry)?;
        if as_json {
            output::line(&value.to_string())?;
            continue;
        }
        let cell = |place: &str| {
            value.pointer(place).and_then(Value::as_str).map_or_else(String::new, |text| short(text, 40))
        };
        let call = cell("/entry/rpc");
        table.add_row([
            entry.index.to_string(),
            cell("/entry/occurred_at"),
            cell("/entry/actor/subject"),
            cell("/entry/operation"),
            call.rsplit('/').next().unwrap_or_default().to_owned(),
            [cell("/entry/outcome"), cell("/entry/phase")]
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            cell("/entry/pool/name"),
            cell("/entry/purpose_code"),
            cell("/entry/reference_id"),
            cell("/entry/event_id"),
        ]);
    }
    if as_json {
        return output::line(
            &json!({
                "next_index": answer.next_index,
                "withheld_own": answer.withheld_own,
                "looked_at": answer.looked_at,
                "receipt": part::maybe_receipt(answer.receipt.as_ref()),
            })
            .to_string(),
        );
    }
    output::line(&table.trim_fmt())
}
