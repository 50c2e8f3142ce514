//! `SubjectService` and `ImageService`.
use bytes::Bytes;
use likeness_proto::v1::{self, image_service_server::ImageService, subject_service_server::SubjectService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, protection, wire};
use crate::{
    pool::OpenedImage,
    service::{ImageAnswer, Rendered, SubjectAnswer, SubjectChoice},
};

const GET_SUBJECT: &str = "likeness.v1.SubjectService/GetSubject";
const GET_IMAGE: &str = "likeness.v1.ImageService/GetImage";

#[tonic::async_trait]
impl SubjectService for Desk {
    async fn get_subject(
        &self,
        request: Request<v1::GetSubjectRequest>,
    ) -> Result<Response<v1::GetSubjectResponse>, Status> {
        self.unary(GET_SUBJECT, request, |service, arrived, message| {
            use v1::get_subject_request::Subject;
            let kept = message.encode_to_vec();
            let asked = arrived.asked(GET_SUBJECT, message.context, kept);
            let choice = match message.subject {
                Some(Subject::SubjectId(id)) => SubjectChoice::Id(id),
                Some(Subject::SubjectReference(reference)) => SubjectChoice::Reference(reference),
                None => SubjectChoice::Absent,
            };
            service.read_subject(asked, &message.pool, &choice, render_subject)
        })
        .await
    }
}

#[tonic::async_trait]
impl ImageService for Desk {
    async fn get_image(
        &self,
        request: Request<v1::GetImageRequest>,
    ) -> Result<Response<v1::GetImageResponse>, Status> {
        self.unary(GET_IMAGE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(GET_IMAGE, message.context, kept);
            service.read_image(asked, &message.pool, &message.image_id, render_image)
        })
        .await
    }
}

fn render_subject(answer: &SubjectAnswer) -> Rendered<v1::GetSubjectResponse> {
    let subject = &answer.subject;
    wire::rendered(v1::GetSubjectResponse {
        subject_id: subject.id.to_string(),
        subject_reference: subject.record.subject_reference.clone(),
        source_system: subject.record.source_system.clone(),
        details: Some(wire::details(&subject.record.details)),
        images: answer.images.iter().map(image_record).collect(),
        protection: answer.protection.as_deref().map(protection::protection),
        receipt: None,
    })
}

/// The stored bytes leave the image out: it is in the pool, sealed under its subject's key, and must be nowhere else.
fn render_image(answer: ImageAnswer) -> Rendered<v1::GetImageResponse> {
    let record = &answer.image.record;
    let rendered = wire::rendered(v1::GetImageResponse {
        image: Bytes::new(),
        media_type: record.media_type.as_str().to_owned(),
        subject_id: answer.image.subject.to_string(),
        face: Some(wire::face(&record.face, record.face_index)),
        receipt: None,
    });
    let message = v1::GetImageResponse { image: Bytes::copy_from_slice(&answer.bytes), ..rendered.message };
    Rendered { message, bytes: rendered.bytes }
}

fn image_record(image: &OpenedImage) -> v1::ImageRecord {
    let record = &image.record;
    v1::ImageRecord {
        image_id: image.id.to_string(),
        source_system: record.source_system.clone(),
        source_reference: record.source_reference.clone(),
        // What is recorded is held: an image that is not held any more has no record.
        held: true,
        enrolled: image.enrolled,
        capture_date: record.capture_date.map(|date| date.to_string()).unwrap_or_default(),
        capture_circumstance: record.capture_circumstance.clone(),
        collected_at: wire::time(image.collected_at),
        quality: Some(wire::quality(&record.quality)),
        face: Some(wire::face(&record.face, record.face_index)),
        algorithm: Some(wire::algorithm(&image.algorithm())),
        selected_largest: record.selected_largest,
    }
}
