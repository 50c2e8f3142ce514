//! A list in words and as JSON.

use likeness_proto::v1::{DeletionListSummary, Receipt};
use serde_json::{Value, json};

use crate::cli::{
    failure::Failure,
    output,
    text::{grouped, plain},
    wording,
};

/// A list as JSON.
pub fn to_json(list: &DeletionListSummary) -> Value {
    json!({
        "id": list.id, "pool": list.pool, "force": list.force, "made_at": list.made_at, "made_by": list.made_by,
        "rules_version": list.rules_version, "rules_digest": list.rules_digest, "acknowledge_by": list.acknowledge_by,
        "overdue": list.overdue, "lines": list.lines, "open": list.open, "deleted": list.deleted,
        "retained": list.retained, "not_found": list.not_found, "erased": list.erased,
    })
}

/// A list that may be absent.
pub fn maybe(list: Option<&DeletionListSummary>) -> Value {
    list.map_or(Value::Null, to_json)
}

/// A list in two lines.
pub fn heading(list: &DeletionListSummary) -> String {
    let late = if list.overdue { ", which is over" } else { "" };
    format!(
        "List {} for {}: {} lines, made {} by {}, to be acknowledged by {}{late}\n{}",
        plain(&list.id),
        plain(&list.force),
        grouped(list.lines),
        plain(&list.made_at),
        plain(&list.made_by),
        plain(&list.acknowledge_by),
        tally(list)
    )
}

/// How far a list has come.
pub fn tally(list: &DeletionListSummary) -> String {
    let erased = match list.erased {
        0 => String::new(),
        erased => format!("; {} are about people who are erased here since", grouped(erased)),
    };
    format!(
        "Open {}, deleted {}, retained {}, not found {}{erased}",
        grouped(list.open),
        grouped(list.deleted),
        grouped(list.retained),
        grouped(list.not_found)
    )
}

/// The receipt, where there is one.
///
/// # Errors
/// Standard output cannot be written.
pub fn receipt(receipt: Option<&Receipt>) -> Result<(), Failure> {
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

/// Text that may be empty, in a table.
pub fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { plain(text) }
}
