//! `PoolMigrationService`.
use likeness_proto::v1::{self, pool_migration_service_server::PoolMigrationService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{MigrationAnswer, MigrationStep};

macro_rules! step {
    ($desk:ident, $request:ident, $call:literal, $response:ident, $message:ident => $step:expr) => {{
        const RPC: &str = concat!("likeness.v1.PoolMigrationService/", $call);
        $desk
            .unary(RPC, $request, |service, arrived, mut $message| {
                let kept = $message.encode_to_vec();
                let asked = arrived.asked(RPC, $message.context.take(), kept);
                let step = $step;
                service.migrate(asked, &$message.pool, &step, |answer| {
                    wire::rendered(v1::$response { migration: Some(migration(answer)), receipt: None })
                })
            })
            .await
    }};
}

#[tonic::async_trait]
impl PoolMigrationService for Desk {
    async fn start_migration(
        &self,
        request: Request<v1::StartMigrationRequest>,
    ) -> Result<Response<v1::StartMigrationResponse>, Status> {
        step!(self, request, "StartMigration", StartMigrationResponse, message => MigrationStep::Start {
            pack: std::mem::take(&mut message.pack),
        })
    }

    async fn get_migration(
        &self,
        request: Request<v1::GetMigrationRequest>,
    ) -> Result<Response<v1::GetMigrationResponse>, Status> {
        step!(self, request, "GetMigration", GetMigrationResponse, message => MigrationStep::Status)
    }

    async fn switch_migration(
        &self,
        request: Request<v1::SwitchMigrationRequest>,
    ) -> Result<Response<v1::SwitchMigrationResponse>, Status> {
        step!(self, request, "SwitchMigration", SwitchMigrationResponse, message => MigrationStep::Switch {
            accept_refused: message.accept_refused,
        })
    }

    async fn roll_back_migration(
        &self,
        request: Request<v1::RollBackMigrationRequest>,
    ) -> Result<Response<v1::RollBackMigrationResponse>, Status> {
        step!(self, request, "RollBackMigration", RollBackMigrationResponse, message => MigrationStep::RollBack {
            accept_refused: message.accept_refused,
        })
    }

    async fn retire_migration(
        &self,
        request: Request<v1::RetireMigrationRequest>,
    ) -> Result<Response<v1::RetireMigrationResponse>, Status> {
        step!(self, request, "RetireMigration", RetireMigrationResponse, message => MigrationStep::Retire)
    }
}

fn migration(answer: &MigrationAnswer) -> v1::Migration {
    let status = &answer.status;
    let other = status.migration.as_ref();
    v1::Migration {
        pool: answer.pool.clone(),
        state: answer.state().to_owned(),
        active_pack: status.active.pack.clone(),
        active_space_id: status.active.space.clone(),
        other_pack: other.map(|at| at.other.pack.clone()).unwrap_or_default(),
        other_space_id: other.map(|at| at.other.space.clone()).unwrap_or_default(),
        started_at: other.map(|at| wire::time(at.started_at)).unwrap_or_default(),
        images: status.completeness.images,
        encoded: status.completeness.encoded,
        waiting: status.completeness.waiting,
        refused: status
            .completeness
            .refused
            .iter()
            .map(|(reason, images)| v1::RefusedCount { reason: reason.clone(), images: *images })
            .collect(),
        refused_images: status
            .refused
            .iter()
            .map(|(image, reason)| v1::RefusedImage { image_id: image.to_string(), reason: reason.clone() })
            .collect(),
        probes: status.agreement.probes,
        same_first: status.agreement.same_first,
        places: status.agreement.places,
        shared: status.agreement.shared,
        probes_refused: status.agreement.refused,
        probes_skipped: status.agreement.skipped,
    }
}
