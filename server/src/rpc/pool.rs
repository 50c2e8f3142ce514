//! `PoolService`.
use likeness_proto::v1::{self, pool_service_server::PoolService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::{
    authorise::Action,
    pool::{NewPool, PoolSummary, QualityRule},
    service::{Algorithm, PoolList, Refusal, Rendered},
};

const CREATE: &str = "likeness.v1.PoolService/CreatePool";
const LIST: &str = "likeness.v1.PoolService/ListPools";

#[tonic::async_trait]
impl PoolService for Desk {
    async fn create_pool(
        &self,
        request: Request<v1::CreatePoolRequest>,
    ) -> Result<Response<v1::CreatePoolResponse>, Status> {
        self.unary(CREATE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(CREATE, message.context, kept);
            let Some(kind) = wire::kind_of(message.kind) else {
                let refusal =
                    Refusal::invalid("missing_field", "missing: `kind`; it is one of the five kinds of pool");
                return Err(service.refuse(asked, Action::CreatePool, refusal));
            };
            let new = NewPool {
                name: message.name,
                kind,
                rationale: message.rationale,
                purposes: message.purposes,
                quality: message.quality_policy.into_iter().map(rule).collect(),
            };
            service.create_pool(asked, new, render_created)
        })
        .await
    }

    async fn list_pools(
        &self,
        request: Request<v1::ListPoolsRequest>,
    ) -> Result<Response<v1::ListPoolsResponse>, Status> {
        self.unary(LIST, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(LIST, message.context, kept);
            service.list_pools(asked, render_list)
        })
        .await
    }
}

fn render_created(summary: &PoolSummary) -> Rendered<v1::CreatePoolResponse> {
    wire::rendered(v1::CreatePoolResponse { pool: Some(pool(summary)), receipt: None })
}

fn render_list(list: &PoolList) -> Rendered<v1::ListPoolsResponse> {
    wire::rendered(v1::ListPoolsResponse { pools: list.pools.iter().map(pool).collect(), receipt: None })
}

fn pool(summary: &PoolSummary) -> v1::Pool {
    v1::Pool {
        name: summary.name.clone(),
        kind: wire::kind(summary.kind).into(),
        rationale: summary.rationale.clone(),
        purposes: summary.purposes.clone(),
        algorithm: Some(wire::algorithm(&Algorithm {
            pack: summary.pack.clone(),
            space_id: summary.space_id.clone(),
            matcher_version: summary.matcher_version.clone(),
        })),
        subjects: summary.subjects,
        images_held: summary.images_held,
        images_enrolled: summary.images_enrolled,
        created_at: wire::time(summary.created_at),
        quality_policy: summary
            .quality
            .iter()
            .map(|rule| v1::QualityLimit {
                component: rule.component.clone(),
                refuse_below: rule.refuse_below.map(u32::from),
                flag_below: rule.flag_below.map(u32::from),
            })
            .collect(),
    }
}

/// Numbers beyond a scalar's range stay beyond it, and are refused by name where the policy is checked.
fn rule(limit: v1::QualityLimit) -> QualityRule {
    let scalar = |value: Option<u32>| value.map(|value| u8::try_from(value).unwrap_or(u8::MAX));
    QualityRule {
        component: limit.component,
        refuse_below: scalar(limit.refuse_below),
        flag_below: scalar(limit.flag_below),
    }
}
