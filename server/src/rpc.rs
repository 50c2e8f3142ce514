//! The wire: `likeness.v1` messages in, domain requests through the service, messages with receipts out.
//!
//! The only place beside `serve` and the command line that knows gRPC. One file per service; [`status`] turns every refusal
//! into a status, [`door`] decides who gets in, [`desk`] moves the work off the async workers.
use std::sync::Arc;

use likeness_proto::v1::{
    audit_service_server::AuditServiceServer, backup_service_server::BackupServiceServer,
    comparison_service_server::ComparisonServiceServer, decision_service_server::DecisionServiceServer,
    deletion_application_service_server::DeletionApplicationServiceServer,
    deletion_list_service_server::DeletionListServiceServer,
    enrolment_service_server::EnrolmentServiceServer, image_service_server::ImageServiceServer,
    operating_point_service_server::OperatingPointServiceServer,
    pool_migration_service_server::PoolMigrationServiceServer, pool_service_server::PoolServiceServer,
    protection_service_server::ProtectionServiceServer, retention_service_server::RetentionServiceServer,
    search_service_server::SearchServiceServer, subject_service_server::SubjectServiceServer,
};
use tonic::service::Routes;

mod application;
mod audit;
mod backup;
mod comparison;
mod context;
mod decision;
mod deletion_list;
mod desk;
mod door;
mod enrolment;
mod migration;
mod operating_point;
mod pool;
mod protection;
mod retention;
mod search;
mod status;
mod subject;
mod wire;

pub(crate) use desk::Desk;
pub(crate) use door::DoorLayer;

use crate::service::Service;

/// Largest answer: an image, or 200 candidates with all their details.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Names of the services, for health.
pub(crate) const SERVICES: [&str; 15] = [
    "likeness.v1.AuditService",
    "likeness.v1.EnrolmentService",
    "likeness.v1.SearchService",
    "likeness.v1.ComparisonService",
    "likeness.v1.SubjectService",
    "likeness.v1.ImageService",
    "likeness.v1.PoolService",
    "likeness.v1.OperatingPointService",
    "likeness.v1.PoolMigrationService",
    "likeness.v1.RetentionService",
    "likeness.v1.BackupService",
    "likeness.v1.ProtectionService",
    "likeness.v1.DecisionService",
    "likeness.v1.DeletionApplicationService",
    "likeness.v1.DeletionListService",
];

// A call that nobody has assigned to operations of section 62 does not build: `audit/operations.rs` is where to do it.
const _: () = assert!(crate::audit::operations::cover(&likeness_proto::CALLS));

/// Adds every service to the routes.
pub(crate) fn add_to(routes: Routes, desk: &Desk, service: &Arc<Service>) -> Routes {
    let most = service.config().limits.message_bytes;
    macro_rules! limited {
        ($server:ident) => {
            $server::new(desk.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(MAX_ANSWER_BYTES)
        };
    }
    routes
        .add_service(limited!(EnrolmentServiceServer))
        .add_service(limited!(SearchServiceServer))
        .add_service(limited!(ComparisonServiceServer))
        .add_service(limited!(SubjectServiceServer))
        .add_service(limited!(ImageServiceServer))
        .add_service(limited!(PoolServiceServer))
        .add_service(limited!(AuditServiceServer))
        .add_service(limited!(OperatingPointServiceServer))
        .add_service(limited!(PoolMigrationServiceServer))
        .add_service(limited!(RetentionServiceServer))
        .add_service(limited!(BackupServiceServer))
        .add_service(limited!(ProtectionServiceServer))
        .add_service(limited!(DecisionServiceServer))
        .add_service(limited!(DeletionApplicationServiceServer))
        .add_service(limited!(DeletionListServiceServer))
}
