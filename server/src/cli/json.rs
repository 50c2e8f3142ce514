//! Parts of answers as JSON, for `--json`.

use likeness_proto::v1::{
    Algorithm, Box as WireBox, Face, PoolKind, Quality, Receipt, Refusal, SubjectDetails,
};
use serde_json::{Map, Value, json};

/// Proof of the record; keep it whole to check the log against it later.
pub fn receipt(receipt: &Receipt) -> Value {
    json!({
        "event_id": receipt.event_id,
        "entry_index": receipt.entry_index,
        "entry_hash": hex::encode(&receipt.entry_hash),
        "tree_size": receipt.tree_size,
        "checkpoint": receipt.checkpoint,
        "occurred_at": receipt.occurred_at,
    })
}

/// A receipt that may be absent.
pub fn maybe_receipt(found: Option<&Receipt>) -> Value {
    found.map_or(Value::Null, receipt)
}

/// The exact algorithm.
pub fn algorithm(algorithm: Option<&Algorithm>) -> Value {
    algorithm.map_or(
        Value::Null,
        |a| json!({ "pack": a.pack, "space_id": a.space_id, "matcher_version": a.matcher_version }),
    )
}

fn frame(frame: Option<&WireBox>) -> Value {
    frame.map_or(
        Value::Null,
        |b| json!({ "left": b.left, "top": b.top, "width": b.width, "height": b.height }),
    )
}

/// A face that may be absent.
pub fn maybe_face(found: Option<&Face>) -> Value {
    found.map_or(Value::Null, face)
}

/// One face.
pub fn face(face: &Face) -> Value {
    json!({ "index": face.index, "confidence": face.confidence, "box": frame(face.r#box.as_ref()) })
}

/// A list of faces.
pub fn faces(found: &[Face]) -> Value {
    found.iter().map(face).collect()
}

/// The quality report.
pub fn quality(quality: Option<&Quality>) -> Value {
    quality.map_or(Value::Null, |q| {
        let components: Map<String, Value> = q
            .components
            .iter()
            .map(|c| (c.name.clone(), json!({ "native": c.native, "unit": c.unit, "scalar": c.scalar })))
            .collect();
        json!({ "lowest": q.lowest, "flags": q.flags, "components": components })
    })
}

/// Why something was refused.
pub fn refusal(refusal: &Refusal) -> Value {
    json!({
        "code": refusal.code,
        "message": refusal.message,
        "faces": faces(&refusal.faces),
        "quality": quality(refusal.quality.as_ref()),
    })
}

/// Personal details of a subject.
pub fn details(details: Option<&SubjectDetails>) -> Value {
    details.map_or(Value::Null, |d| {
        // Sorted, so that the same answer prints the same.
        let attributes: std::collections::BTreeMap<_, _> = d.attributes.iter().collect();
        json!({ "display_name": d.display_name, "date_of_birth": d.date_of_birth, "attributes": attributes })
    })
}

/// The kind's name in JSON and in tables.
pub fn kind(kind: PoolKind) -> &'static str {
    match kind {
        PoolKind::Unspecified => "unspecified",
        PoolKind::Custody => "custody",
        PoolKind::Person => "person",
        PoolKind::MissingPerson => "missing_person",
        PoolKind::UnidentifiedPerson => "unidentified_person",
        PoolKind::UnidentifiedRemains => "unidentified_remains",
    }
}

/// `""` as null: absent text on the wire is empty.
pub fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { value.into() }
}
