//! An operating point in words and as JSON, the same wherever it is shown.

use likeness_proto::v1::{MeasuredRate, OperatingPoint, SimilarityMeaning};
use likeness_server::points::percent;
use serde_json::{Value, json as value};

use crate::cli::{
    json as part,
    text::{grouped, plain},
};

/// `0.34 % (0.20 % to 0.54 %)`.
pub fn rate(rate: Option<&MeasuredRate>) -> String {
    rate.map_or_else(
        || "not measured".to_owned(),
        |rate| format!("{} ({} to {})", percent(rate.rate), percent(rate.low), percent(rate.high)),
    )
}

/// The kinds of pool.
pub fn kinds(point: &OperatingPoint) -> String {
    point.pool_kinds().map(part::kind).collect::<Vec<_>>().join(", ")
}

/// `in force`, and that it is a demonstration where it is.
pub fn state(point: &OperatingPoint) -> String {
    let state = plain(&point.state.replace('_', " "));
    if point.demonstration_only { format!("{state}, synthetic data") } else { state }
}

/// The false-positive rate at a candidate's similarity, for a cell of a table.
pub fn meaning(meaning: Option<&SimilarityMeaning>) -> String {
    match meaning {
        Some(SimilarityMeaning { measured: true, fpir, low, high, demonstration, .. }) => {
            let share = |value: &Option<f64>| percent(value.unwrap_or_default());
            let mark = if *demonstration { " (synthetic, not operational)" } else { "" };
            format!("{} ({} to {}){mark}", share(fpir), share(low), share(high))
        }
        _ => "not measured".to_owned(),
    }
}

/// All of a meaning.
pub fn meaning_json(meaning: Option<&SimilarityMeaning>) -> Value {
    meaning.map_or(Value::Null, |m| {
        value!({
            "measured": m.measured,
            "fpir": m.fpir, "low": m.low, "high": m.high, "confidence": m.confidence,
            "false_positives": m.false_positives, "non_mated_searches": m.non_mated_searches,
            "gallery_size": m.gallery_size, "measured_gallery_size": m.measured_gallery_size,
            "measured_gallery_sizes": m.measured_gallery_sizes,
            "operating_point": part::text(&m.operating_point),
            "demonstration": m.demonstration,
            "approved": m.approved,
            "text": m.text,
        })
    })
}

/// Everything about a point, a line each.
pub fn paragraph(point: &OperatingPoint) -> String {
    let mut lines = vec![
        format!(
            "Threshold {} of model pack `{}` (space {})",
            point.threshold,
            plain(&point.pack),
            plain(&point.space_id)
        ),
        format!(
            "For {} pools of {} to {} searchable images, purpose {}",
            kinds(point),
            grouped(point.gallery_from),
            grouped(point.gallery_to),
            plain(&point.use_cases.join(", "))
        ),
        format!(
            "FPIR {} (asked for at most {}), FNIR {}",
            rate(point.fpir.as_ref()),
            percent(point.target_fpir),
            rate(point.fnir.as_ref())
        ),
    ];
    for (what, group) in [("FPIR", &point.worst_fpir), ("FNIR", &point.worst_fnir)] {
        if let Some(group) = group {
            lines.push(format!("Worst group by {what}: {}, {}", plain(&group.group), rate(Some(group))));
        }
    }
    if !point.groups_not_measured.is_empty() {
        lines.push(format!("Worst group: not measured, {}", plain(&point.groups_not_measured)));
    }
    let sizes: Vec<String> = point.measured_gallery_sizes.iter().map(|size| grouped(*size)).collect();
    lines.push(format!(
        "Measured on {} with galleries of {} images, {} % intervals; report {}",
        plain(&point.data_set),
        sizes.join(", "),
        point.confidence * 100.0,
        plain(&point.report_id)
    ));
    if point.demonstration_only {
        lines.push("SYNTHETIC DATA: for demonstration only, not for operational use".to_owned());
    }
    lines.push(format!("Signed by {} on {}", plain(&point.tester_key), plain(&point.made_at)));
    lines.push(format!(
        "Approved by {} on {} (event {}), valid to {}: {}",
        plain(&point.approved_by),
        plain(&point.approved_at),
        plain(&point.approval_event_id),
        plain(&point.expires_on),
        state(point)
    ));
    if !point.revoked_by.is_empty() {
        lines.push(format!(
            "Revoked by {} on {}: {}",
            plain(&point.revoked_by),
            plain(&point.revoked_at),
            plain(&point.revocation_reason)
        ));
    }
    lines.join("\n")
}

/// Everything about a point.
pub fn json(point: &OperatingPoint) -> Value {
    let rate = |rate: Option<&MeasuredRate>| {
        rate.map_or(Value::Null, |r| {
            value!({ "count": r.count, "of": r.of, "rate": r.rate, "low": r.low, "high": r.high, "group": part::text(&r.group) })
        })
    };
    value!({
        "id": point.id,
        "state": point.state,
        "pack": point.pack,
        "space_id": point.space_id,
        "pool_kinds": point.pool_kinds().map(part::kind).collect::<Vec<_>>(),
        "use_cases": point.use_cases,
        "gallery_from": point.gallery_from,
        "gallery_to": point.gallery_to,
        "threshold": point.threshold,
        "target_fpir": point.target_fpir,
        "fpir": rate(point.fpir.as_ref()),
        "fnir": rate(point.fnir.as_ref()),
        "worst_fpir": rate(point.worst_fpir.as_ref()),
        "worst_fnir": rate(point.worst_fnir.as_ref()),
        "groups_not_measured": part::text(&point.groups_not_measured),
        "measured_gallery_sizes": point.measured_gallery_sizes,
        "confidence": point.confidence,
        "data_set": point.data_set,
        "data_set_digest": point.data_set_digest,
        "report_id": point.report_id,
        "demonstration_only": point.demonstration_only,
        "tester_key": point.tester_key,
        "made_at": point.made_at,
        "expires_on": point.expires_on,
        "approved_by": point.approved_by,
        "approved_at": point.approved_at,
        "approval_event_id": point.approval_event_id,
        "revoked_by": part::text(&point.revoked_by),
        "revoked_at": part::text(&point.revoked_at),
        "revocation_reason": part::text(&point.revocation_reason),
    })
}
