//! Shapes that several messages share.
use likeness_matcher::{
    detect::{BoundingBox, Face},
    quality::QualityReport,
    select::Selection,
};
use likeness_proto::v1;
use prost::Message;

use crate::{
    audit,
    authorise::Origin,
    pool::{Details, PoolKind},
    service::{Algorithm, ProbeSource, Refusal, Rendered},
};

/// A message and its exact bytes.
pub(super) fn rendered<M: Message>(message: M) -> Rendered<M> {
    let bytes = message.encode_to_vec();
    Rendered { message, bytes }
}

pub(super) fn receipt(receipt: &audit::Receipt) -> v1::Receipt {
    v1::Receipt {
        event_id: receipt.event_id().to_string(),
        entry_index: receipt.entry_index(),
        entry_hash: bytes::Bytes::copy_from_slice(receipt.entry_hash()),
        tree_size: receipt.tree_size(),
        checkpoint: receipt.checkpoint().to_owned(),
        occurred_at: time(receipt.occurred_at()),
    }
}

/// RFC 3339, UTC, always three decimals.
pub(super) fn time(at: jiff::Timestamp) -> String {
    format!("{at:.3}")
}

pub(super) fn refusal(refusal: &Refusal) -> v1::Refusal {
    v1::Refusal {
        code: refusal.code.to_owned(),
        message: refusal.message.clone(),
        faces: faces(&refusal.faces),
        quality: refusal.quality.as_deref().map(quality),
    }
}

pub(super) fn faces(faces: &[Face]) -> Vec<v1::Face> {
    faces.iter().enumerate().map(|(index, at)| face(at, index)).collect()
}

pub(super) fn face(face: &Face, index: usize) -> v1::Face {
    let BoundingBox { left, top, width, height } = face.bounding_box;
    v1::Face {
        r#box: Some(v1::Box { left, top, width, height }),
        confidence: face.confidence,
        index: u32::try_from(index).unwrap_or(u32::MAX),
    }
}

pub(super) fn quality(report: &QualityReport) -> v1::Quality {
    v1::Quality {
        components: report
            .measures
            .iter()
            .map(|measure| v1::QualityComponent {
                name: measure.component.name().to_owned(),
                native: measure.native,
                unit: measure.unit.to_owned(),
                scalar: u32::from(measure.scalar),
            })
            .collect(),
        flags: report.flags.iter().map(|component| component.name().to_owned()).collect(),
        lowest: report.lowest().map(|measure| u32::from(measure.scalar)).unwrap_or_default(),
    }
}

pub(super) fn algorithm(algorithm: &Algorithm) -> v1::Algorithm {
    v1::Algorithm {
        pack: algorithm.pack.clone(),
        space_id: algorithm.space_id.clone(),
        matcher_version: algorithm.matcher_version.clone(),
    }
}

/// Which face is meant; nothing said means that there must be exactly one.
pub(super) fn selection(selection: Option<v1::FaceSelection>) -> Selection {
    use v1::face_selection::Choice;
    match selection.and_then(|selection| selection.choice) {
        None | Some(Choice::Largest(false)) => Selection::Only,
        Some(Choice::Largest(true)) => Selection::Largest,
        Some(Choice::Index(index)) => Selection::Index(usize::try_from(index).unwrap_or(usize::MAX)),
        Some(Choice::Box(v1::Box { left, top, width, height })) => {
            Selection::Box(BoundingBox { left, top, width, height })
        }
    }
}

pub(super) fn probe_source(source: v1::ProbeSource) -> ProbeSource {
    let recorded = kind_of(source.origin);
    let unknown_origin = recorded.is_none() && source.origin != v1::PoolKind::Unspecified as i32;
    let origin = recorded.map_or(Origin::Scene, Origin::Recorded);
    let v1::ProbeSource { source_type, acquired_under, investigation_ref, offence_type, edits, .. } = source;
    ProbeSource {
        source_type,
        acquired_under,
        investigation_ref,
        offence_type,
        edits,
        origin,
        unknown_origin,
    }
}

pub(super) fn details(details: &Details) -> v1::SubjectDetails {
    v1::SubjectDetails {
        display_name: details.display_name.clone(),
        date_of_birth: details.date_of_birth.map(|date| date.to_string()).unwrap_or_default(),
        attributes: details.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

pub(super) fn kind(kind: PoolKind) -> v1::PoolKind {
    match kind {
        PoolKind::Custody => v1::PoolKind::Custody,
        PoolKind::Person => v1::PoolKind::Person,
        PoolKind::MissingPerson => v1::PoolKind::MissingPerson,
        PoolKind::UnidentifiedPerson => v1::PoolKind::UnidentifiedPerson,
        PoolKind::UnidentifiedRemains => v1::PoolKind::UnidentifiedRemains,
    }
}

/// The kind a number stands for, when it stands for one.
pub(super) fn kind_of(number: i32) -> Option<PoolKind> {
    match v1::PoolKind::try_from(number).ok()? {
        v1::PoolKind::Unspecified => None,
        v1::PoolKind::Custody => Some(PoolKind::Custody),
        v1::PoolKind::Person => Some(PoolKind::Person),
        v1::PoolKind::MissingPerson => Some(PoolKind::MissingPerson),
        v1::PoolKind::UnidentifiedPerson => Some(PoolKind::UnidentifiedPerson),
        v1::PoolKind::UnidentifiedRemains => Some(PoolKind::UnidentifiedRemains),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_wire() {
        for at in PoolKind::ALL {
            assert_eq!(kind_of(kind(at) as i32), Some(at));
        }
        assert_eq!(kind_of(0), None);
        assert_eq!(kind_of(99), None);
    }
}
