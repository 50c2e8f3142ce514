//! `SearchService`.
use likeness_proto::v1::{self, search_response::Mode, search_service_server::SearchService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, operating_point, protection, retention, wire};
use crate::{
    audit::Receipt,
    service::{CandidateFound, ModeAsked, Rendered, SEARCH_CAVEAT, SearchAnswer, SearchMode, SearchRequest},
};

mod exactness;

const RPC: &str = "likeness.v1.SearchService/Search";

#[tonic::async_trait]
impl SearchService for Desk {
    async fn search(
        &self,
        request: Request<v1::SearchRequest>,
    ) -> Result<Response<v1::SearchResponse>, Status> {
        self.unary(RPC, request, |service, arrived, mut message| {
            let probe = std::mem::take(&mut message.probe);
            let kept = message.encode_to_vec();
            let mode = ModeAsked {
                mode: match message.mode() {
                    Mode::Unspecified => None,
                    Mode::Investigation => Some(SearchMode::Investigation),
                    Mode::Identification => Some(SearchMode::Identification),
                },
                operating_point: std::mem::take(&mut message.operating_point),
                threshold: message.threshold,
            };
            let asked = arrived.asked(RPC, message.context, kept);
            let request = SearchRequest {
                mode,
                probe,
                source: message.source.map(wire::probe_source),
                selection: wire::selection(message.selection),
                pools: message.pools,
                candidate_list_length: message.candidate_list_length,
            };
            service.search(asked, request, render)
        })
        .await
    }
}

fn render(answer: &SearchAnswer, per_pool: &[Receipt]) -> Rendered<v1::SearchResponse> {
    let mut receipts = per_pool.iter();
    wire::rendered(v1::SearchResponse {
        candidates: answer.candidates.iter().map(candidate).collect(),
        pools: answer
            .pools
            .iter()
            .map(|pool| v1::PoolResult {
                pool: pool.pool.clone(),
                searched: pool.searched.is_ok(),
                refusal: pool.searched.as_ref().err().map(wire::refusal),
                gallery_size: pool.searched.as_ref().copied().unwrap_or_default(),
                receipt: receipts.next().map(wire::receipt),
                contact_owners: pool.contact_owners.clone(),
                exactness: exactness::of(pool.exactness.as_ref()).into(),
                recall: pool.exactness.as_ref().and_then(exactness::recall),
            })
            .collect(),
        exactness: exactness::of(answer.exactness()).into(),
        mode: match answer.mode {
            SearchMode::Investigation => Mode::Investigation,
            SearchMode::Identification => Mode::Identification,
        }
        .into(),
        mode_meaning: answer.mode_meaning(),
        operating_points: operating_point::used(&answer.points),
        algorithm: Some(wire::algorithm(&answer.algorithm)),
        probe_face: answer
            .probe
            .faces
            .get(answer.probe.chosen)
            .map(|face| wire::face(face, answer.probe.chosen)),
        probe_quality: Some(wire::quality(&answer.probe.quality)),
        faces: wire::faces(&answer.probe.faces),
        similarity_meaning: answer.similarity_meaning.clone(),
        pack_threshold: answer.threshold,
        caveat: SEARCH_CAVEAT.to_owned(),
        receipt: None,
    })
}

fn candidate(found: &CandidateFound) -> v1::Candidate {
    let record = &found.image.record;
    v1::Candidate {
        rank: found.rank,
        pool: found.pool.to_string(),
        pool_kind: wire::kind(found.kind).into(),
        subject_id: found.image.subject.to_string(),
        subject_reference: found.subject.subject_reference.clone(),
        image_id: found.image.id.to_string(),
        source_system: record.source_system.clone(),
        source_reference: record.source_reference.clone(),
        similarity: found.similarity,
        above_pack_threshold: found.above_threshold,
        quality: Some(wire::quality(&record.quality)),
        capture_date: record.capture_date.map(|date| date.to_string()).unwrap_or_default(),
        image_age_days: found.age_days,
        capture_circumstance: record.capture_circumstance.clone(),
        details: Some(wire::details(&found.subject.details)),
        meaning: Some(operating_point::meaning(&found.meaning)),
        protection: found.protection.as_deref().map(protection::protection),
        standing: Some(retention::standing(&found.assessment)),
    }
}
