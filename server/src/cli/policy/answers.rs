//! The rows of `policy explain`, for people and for programs.

use likeness_server::{
    authorise::{Authoriser, Decision, Purpose, explain::Row},
    identity::Caller,
};
use serde_json::{Value, json};

use crate::cli::{failure::Failure, output};

/// Prints the rows as a table, and what the policies named in it stand on.
pub fn print(
    authoriser: &Authoriser,
    caller: &Caller,
    purpose: &Purpose,
    rows: &[Row],
) -> Result<(), Failure> {
    output::line(&format!("{}, for `{purpose}` (policy set {}):", who(caller), authoriser.digest()))?;
    if rows.is_empty() {
        return output::line("nothing is allowed; `--all` shows what is denied, and why");
    }
    let mut table = output::table(["operation", "where", "probe from", "answer", "because of"]);
    let mut named = std::collections::BTreeSet::new();
    for row in rows {
        named.extend(row.decision.policies.iter().map(String::as_str));
        table.add_row([
            row.action.to_string(),
            row.place.clone(),
            if row.action.code() == "search" { row.origin.to_string() } else { String::new() },
            if row.decision.allowed { "allowed" } else { "denied" }.to_owned(),
            because(&row.decision),
        ]);
    }
    output::line(&table.trim_fmt())?;
    for id in named {
        let basis = authoriser.described().get(id).and_then(|about| about.basis.as_deref());
        output::line(&format!("{id}: {}", basis.unwrap_or("says nothing about what it stands on")))?;
    }
    Ok(())
}

/// The rows as JSON.
pub fn json(authoriser: &Authoriser, caller: &Caller, purpose: &Purpose, rows: &[Row]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "operation": row.action.code(),
                "place": row.place,
                "origin": row.origin.code(),
                "allowed": row.decision.allowed,
                "policies": row.decision.policies,
                "errors": row.decision.errors,
                "red_line": row.decision.red_line,
            })
        })
        .collect();
    json!({
        "policy_set": authoriser.digest(),
        "system": caller.system.name,
        "organisation": caller.person.as_ref().map(|person| &person.organisation),
        "purpose": purpose.code(),
        "answers": rows,
    })
}

fn who(caller: &Caller) -> String {
    let system = &caller.system.name;
    match &caller.person {
        None => format!("the system `{system}` alone"),
        Some(person) => {
            let roles: Vec<&str> = person.roles.iter().map(|role| role.code()).collect();
            format!("{} of {} at `{system}`", roles.join(" and "), person.organisation)
        }
    }
}

fn because(decision: &Decision) -> String {
    if let Some(line) = &decision.red_line {
        return format!("red line: {line}");
    }
    if !decision.errors.is_empty() {
        return decision.errors.join("; ");
    }
    if decision.policies.is_empty() {
        return "no policy permits it".to_owned();
    }
    decision.policies.join(", ")
}
