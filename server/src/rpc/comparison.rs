//! `ComparisonService`.
use likeness_proto::v1::{self, comparison_service_server::ComparisonService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{COMPARE_CAVEAT, CompareAnswer, CompareRequest, ProbeFace, Rendered};

const RPC: &str = "likeness.v1.ComparisonService/Compare";

#[tonic::async_trait]
impl ComparisonService for Desk {
    async fn compare(
        &self,
        request: Request<v1::CompareRequest>,
    ) -> Result<Response<v1::CompareResponse>, Status> {
        self.unary(RPC, request, |service, arrived, mut message| {
            let image_a = std::mem::take(&mut message.image_a);
            let image_b = std::mem::take(&mut message.image_b);
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = CompareRequest {
                image_a,
                image_b,
                source: message.source.map(wire::probe_source),
                selection_a: wire::selection(message.selection_a),
                selection_b: wire::selection(message.selection_b),
            };
            service.compare(asked, request, render)
        })
        .await
    }
}

fn render(answer: &CompareAnswer) -> Rendered<v1::CompareResponse> {
    wire::rendered(v1::CompareResponse {
        similarity: answer.similarity,
        above_pack_threshold: answer.above_threshold,
        pack_threshold: answer.threshold,
        algorithm: Some(wire::algorithm(&answer.algorithm)),
        face_a: chosen(&answer.a),
        face_b: chosen(&answer.b),
        quality_a: Some(wire::quality(&answer.a.quality)),
        quality_b: Some(wire::quality(&answer.b.quality)),
        similarity_meaning: answer.similarity_meaning.clone(),
        caveat: COMPARE_CAVEAT.to_owned(),
        receipt: None,
    })
}

fn chosen(probe: &ProbeFace) -> Option<v1::Face> {
    probe.faces.get(probe.chosen).map(|face| wire::face(face, probe.chosen))
}
