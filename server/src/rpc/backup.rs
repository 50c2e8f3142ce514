//! `BackupService`.
use likeness_proto::v1::{self, backup_service_server::BackupService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{BackupMade, BackupRequest};

const CREATE: &str = "likeness.v1.BackupService/CreateBackup";

#[tonic::async_trait]
impl BackupService for Desk {
    async fn create_backup(
        &self,
        request: Request<v1::CreateBackupRequest>,
    ) -> Result<Response<v1::CreateBackupResponse>, Status> {
        self.unary(CREATE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(CREATE, message.context, kept);
            let wanted = BackupRequest {
                destination: message.destination,
                without_credentials: message.without_credentials,
            };
            service.back_up(asked, &wanted, |made| wire::rendered(response(made)))
        })
        .await
    }
}

fn response(made: &BackupMade) -> v1::CreateBackupResponse {
    let manifest = &made.manifest;
    v1::CreateBackupResponse {
        destination: made.folder.display().to_string(),
        manifest_digest: made.digest.clone(),
        files: manifest.files,
        bytes: manifest.bytes,
        pools: manifest
            .pools
            .iter()
            .map(|pool| v1::BackedUpPool {
                name: pool.name.to_string(),
                subjects: pool.subjects,
                images: pool.images,
                images_enrolled: pool.enrolled,
                erased_meanwhile: pool.erased_meanwhile,
            })
            .collect(),
        audit_size: manifest.audit.size,
        audit_root: made.root.to_vec().into(),
        receipt: None,
    }
}
