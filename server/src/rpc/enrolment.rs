//! `EnrolmentService`.
use std::time::Instant;

use likeness_proto::v1::{self, enrol_response::Outcome, enrolment_service_server::EnrolmentService};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    Desk,
    context::{Arrived, peer},
    desk::Slot,
    wire,
};
use crate::service::{
    EnrolItem, EnrolOutcome, EnrolResult, RawDetails, Rendered, SetEnrolledAnswer, SetEnrolledRequest,
};

mod bulk;

const ENROL: &str = "likeness.v1.EnrolmentService/Enrol";
const ENROL_STREAM: &str = "likeness.v1.EnrolmentService/EnrolStream";
const SET_ENROLLED: &str = "likeness.v1.EnrolmentService/SetEnrolled";

#[tonic::async_trait]
impl EnrolmentService for Desk {
    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolResponse>, Status> {
        self.unary(ENROL, request, |service, arrived, message| {
            let deadline = arrived.deadline;
            let (context, pool, item) = split(message);
            let asked = arrived.asked(ENROL, context, item.request.clone());
            let enrolment = service.begin_enrolment(asked, &pool)?;
            enrolment.enrol_one(item, deadline, render)
        })
        .await
    }

    type EnrolStreamStream = ReceiverStream<Result<v1::EnrolResponse, Status>>;

    async fn enrol_stream(
        &self,
        mut request: Request<Streaming<v1::EnrolRequest>>,
    ) -> Result<Response<Self::EnrolStreamStream>, Status> {
        let slot = Slot::take(request.extensions_mut())?;
        let headers = request.metadata().clone().into_headers();
        // No deadline for the whole: a stream may run for hours. Each item and each wait for the next has its own.
        let came = peer(request.extensions());
        let token = Arrived::read(came.clone(), &headers, self.deadline).token;
        let (results, answers) = mpsc::channel(crate::service::GROUP);
        let desk = self.clone();
        let messages = request.into_inner();
        tokio::spawn(async move {
            let _slot = slot;
            bulk::run(&desk, (came, token), messages, results).await;
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn set_enrolled(
        &self,
        request: Request<v1::SetEnrolledRequest>,
    ) -> Result<Response<v1::SetEnrolledResponse>, Status> {
        self.unary(SET_ENROLLED, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(SET_ENROLLED, message.context, kept);
            let request = SetEnrolledRequest {
                pool: message.pool,
                image_id: message.image_id,
                enrolled: message.enrolled,
            };
            service.set_enrolled(asked, &request, |answer: &SetEnrolledAnswer| {
                wire::rendered(v1::SetEnrolledResponse {
                    enrolled: answer.enrolled,
                    changed: answer.changed,
                    receipt: None,
                })
            })
        })
        .await
    }
}

/// A message as context, pool and item. What is kept of it is everything but the image, which goes sealed into the pool.
fn split(mut message: v1::EnrolRequest) -> (Option<v1::RequestContext>, String, EnrolItem) {
    let image = std::mem::take(&mut message.image);
    let request = message.encode_to_vec();
    let v1::SubjectDetails { display_name, date_of_birth, attributes } = message.details.unwrap_or_default();
    let item = EnrolItem {
        subject_reference: message.subject_reference,
        source_reference: message.source_reference,
        image,
        selection: wire::selection(message.selection),
        capture_date: message.capture_date,
        capture_circumstance: message.capture_circumstance,
        details: RawDetails { display_name, date_of_birth, attributes: attributes.into_iter().collect() },
        hold_only: message.hold_only,
        request,
    };
    (message.context, message.pool, item)
}

fn render(result: &EnrolResult) -> Rendered<v1::EnrolResponse> {
    let outcome = match result.outcome {
        EnrolOutcome::Enrolled => Outcome::Enrolled,
        EnrolOutcome::AlreadyEnrolled => Outcome::AlreadyEnrolled,
        EnrolOutcome::Held => Outcome::Held,
        EnrolOutcome::Refused => Outcome::Refused,
    };
    let (subject_id, image_id) = match result.stored {
        Some((subject, image)) => (subject.to_string(), image.to_string()),
        None => (String::new(), String::new()),
    };
    wire::rendered(v1::EnrolResponse {
        outcome: outcome.into(),
        source_reference: result.source_reference.clone(),
        subject_id,
        image_id,
        face: result.face.as_ref().map(|(face, index)| wire::face(face, *index)),
        quality: result.quality.as_ref().map(wire::quality),
        refusal: result.refusal.as_ref().map(wire::refusal),
        selected_largest: result.selected_largest,
        receipt: None,
    })
}

/// When an item that arrives now must be done.
fn item_deadline(desk: &Desk) -> Instant {
    Instant::now() + desk.deadline
}
