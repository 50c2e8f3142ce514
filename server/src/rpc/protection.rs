//! `ProtectionService`.
use likeness_proto::v1::{self, protection_service_server::ProtectionService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::{
    pool::{ProtectedView, Protection},
    service::{MarkFields, ProtectStep, ProtectedSubject, SubjectChoice},
};

const PROTECT: &str = "likeness.v1.ProtectionService/Protect";
const UNPROTECT: &str = "likeness.v1.ProtectionService/Unprotect";
const LIST: &str = "likeness.v1.ProtectionService/ListProtected";

#[tonic::async_trait]
impl ProtectionService for Desk {
    async fn protect(
        &self,
        request: Request<v1::ProtectRequest>,
    ) -> Result<Response<v1::ProtectResponse>, Status> {
        self.unary(PROTECT, request, |service, arrived, message| {
            use v1::protect_request::Subject;
            let kept = message.encode_to_vec();
            let asked = arrived.asked(PROTECT, message.context, kept);
            let choice = match message.subject {
                Some(Subject::SubjectId(id)) => SubjectChoice::Id(id),
                Some(Subject::SubjectReference(reference)) => SubjectChoice::Reference(reference),
                None => SubjectChoice::Absent,
            };
            let step = ProtectStep::Put(fields(message.protection.unwrap_or_default()));
            service.protect(asked, &message.pool, &choice, &step, |done| {
                wire::rendered(v1::ProtectResponse { subject: Some(subject(done)), receipt: None })
            })
        })
        .await
    }

    async fn unprotect(
        &self,
        request: Request<v1::UnprotectRequest>,
    ) -> Result<Response<v1::UnprotectResponse>, Status> {
        self.unary(UNPROTECT, request, |service, arrived, message| {
            use v1::unprotect_request::Subject;
            let kept = message.encode_to_vec();
            let asked = arrived.asked(UNPROTECT, message.context, kept);
            let choice = match message.subject {
                Some(Subject::SubjectId(id)) => SubjectChoice::Id(id),
                Some(Subject::SubjectReference(reference)) => SubjectChoice::Reference(reference),
                None => SubjectChoice::Absent,
            };
            service.protect(asked, &message.pool, &choice, &ProtectStep::Lift, |done| {
                wire::rendered(v1::UnprotectResponse { subject: Some(subject(done)), receipt: None })
            })
        })
        .await
    }

    async fn list_protected(
        &self,
        request: Request<v1::ListProtectedRequest>,
    ) -> Result<Response<v1::ListProtectedResponse>, Status> {
        self.unary(LIST, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(LIST, message.context, kept);
            service.protected(asked, &message.pool, |list| {
                wire::rendered(v1::ListProtectedResponse {
                    subjects: list.iter().map(subject).collect(),
                    receipt: None,
                })
            })
        })
        .await
    }
}

fn fields(mark: v1::Protection) -> MarkFields {
    let view = match mark.view() {
        v1::ProtectedView::Unspecified => None,
        v1::ProtectedView::ExistenceSuppressed => Some(ProtectedView::ExistenceSuppressed),
        v1::ProtectedView::ContactOwner => Some(ProtectedView::ContactOwner),
    };
    let v1::Protection { owner, reason, review_due, ends_on, .. } = mark;
    MarkFields { view, owner, reason, review_due, ends_on }
}

fn subject(at: &ProtectedSubject) -> v1::ProtectedSubject {
    v1::ProtectedSubject {
        subject_id: at.subject.id.to_string(),
        subject_reference: at.subject.record.subject_reference.clone(),
        source_system: at.subject.record.source_system.clone(),
        protection: at.protection.as_deref().map(protection),
        review_overdue: at.review_overdue,
    }
}

/// The mark, for those who see it.
pub(super) fn protection(mark: &Protection) -> v1::Protection {
    v1::Protection {
        view: match mark.view {
            ProtectedView::ExistenceSuppressed => v1::ProtectedView::ExistenceSuppressed,
            ProtectedView::ContactOwner => v1::ProtectedView::ContactOwner,
        }
        .into(),
        owner: mark.owner.clone(),
        reason: mark.reason.clone(),
        review_due: mark.review_due.to_string(),
        ends_on: mark.ends_on.map(|date| date.to_string()).unwrap_or_default(),
    }
}
