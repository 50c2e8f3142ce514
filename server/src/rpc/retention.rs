//! `RetentionService`.
use bytes::Bytes;
use likeness_proto::v1::{self, retention_service_server::RetentionService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{
    AlterRequest, DecideRequest, EraseRequest, ListRequest, NumbersRequest, RunRequest, SimulateRequest,
    SubjectChoice, WithdrawnRequest,
};

mod alteration;
mod counted;
mod shown;

pub(super) use shown::standing;

macro_rules! rpc {
    ($call:literal) => {
        concat!("likeness.v1.RetentionService/", $call)
    };
}

/// Which subject a request names.
macro_rules! choice {
    ($oneof:ident, $chosen:expr) => {
        match $chosen {
            Some(v1::$oneof::Subject::SubjectId(id)) => SubjectChoice::Id(id),
            Some(v1::$oneof::Subject::SubjectReference(reference)) => SubjectChoice::Reference(reference),
            None => SubjectChoice::Absent,
        }
    };
}

#[tonic::async_trait]
impl RetentionService for Desk {
    async fn get_retention(
        &self,
        request: Request<v1::GetRetentionRequest>,
    ) -> Result<Response<v1::GetRetentionResponse>, Status> {
        const RPC: &str = rpc!("GetRetention");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let subject = choice!(get_retention_request, message.subject);
            service.read_retention(asked, &message.pool, &subject, &message.rules_digest, |answer| {
                wire::rendered(v1::GetRetentionResponse {
                    retention: Some(shown::retention(answer)),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn alter_retention(
        &self,
        request: Request<v1::AlterRetentionRequest>,
    ) -> Result<Response<v1::AlterRetentionResponse>, Status> {
        const RPC: &str = rpc!("AlterRetention");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = AlterRequest {
                pool: message.pool,
                subject: choice!(alter_retention_request, message.subject),
                alteration: alteration::read(message.alteration),
            };
            service.alter_retention(asked, &request, |answer| {
                wire::rendered(v1::AlterRetentionResponse {
                    retention: Some(shown::retention(answer)),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn list_retention(
        &self,
        request: Request<v1::ListRetentionRequest>,
    ) -> Result<Response<v1::ListRetentionResponse>, Status> {
        const RPC: &str = rpc!("ListRetention");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = ListRequest {
                pool: message.pool,
                list: message.list,
                after: message.after,
                limit: message.limit,
            };
            service.list_retention(asked, &request, |answer| wire::rendered(shown::list(answer)))
        })
        .await
    }

    async fn get_retention_numbers(
        &self,
        request: Request<v1::GetRetentionNumbersRequest>,
    ) -> Result<Response<v1::GetRetentionNumbersResponse>, Status> {
        const RPC: &str = rpc!("GetRetentionNumbers");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = NumbersRequest { pool: message.pool, publishable: message.publishable };
            service.retention_numbers(asked, &request, |answer| wire::rendered(counted::numbers(answer)))
        })
        .await
    }

    async fn run_retention(
        &self,
        request: Request<v1::RunRetentionRequest>,
    ) -> Result<Response<v1::RunRetentionResponse>, Status> {
        const RPC: &str = rpc!("RunRetention");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = RunRequest { pool: message.pool, dry: message.dry_run };
            service.run_retention(asked, &request, |done| {
                wire::rendered(v1::RunRetentionResponse {
                    assessed: done.assessed,
                    beyond_use: done.beyond_use,
                    erased: done.erased,
                    put_off: done.put_off,
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn get_rules(
        &self,
        request: Request<v1::GetRulesRequest>,
    ) -> Result<Response<v1::GetRulesResponse>, Status> {
        const RPC: &str = rpc!("GetRules");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            service.retention_rules(asked, &message.digest, |rules| {
                wire::rendered(v1::GetRulesResponse { rules: Some(shown::rules(rules)), receipt: None })
            })
        })
        .await
    }

    async fn simulate_rules(
        &self,
        request: Request<v1::SimulateRulesRequest>,
    ) -> Result<Response<v1::SimulateRulesResponse>, Status> {
        const RPC: &str = rpc!("SimulateRules");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = SimulateRequest { pool: message.pool, rules: message.rules };
            service.simulate_rules(asked, &request, |answer| wire::rendered(shown::simulated(answer)))
        })
        .await
    }

    async fn activate_rules(
        &self,
        request: Request<v1::ActivateRulesRequest>,
    ) -> Result<Response<v1::ActivateRulesResponse>, Status> {
        const RPC: &str = rpc!("ActivateRules");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            service.activate_rules(asked, &message.rules, |rules| {
                wire::rendered(v1::ActivateRulesResponse { rules: Some(shown::rules(rules)), receipt: None })
            })
        })
        .await
    }

    async fn erase_subject(
        &self,
        request: Request<v1::EraseSubjectRequest>,
    ) -> Result<Response<v1::EraseSubjectResponse>, Status> {
        const RPC: &str = rpc!("EraseSubject");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = EraseRequest {
                pool: message.pool,
                subject: choice!(erase_subject_request, message.subject),
                reason: message.reason,
                at_once: message.at_once,
            };
            service.erase_subject(asked, &request, |answer| wire::rendered(shown::erased(answer)))
        })
        .await
    }

    async fn get_certificate(
        &self,
        request: Request<v1::GetCertificateRequest>,
    ) -> Result<Response<v1::GetCertificateResponse>, Status> {
        const RPC: &str = rpc!("GetCertificate");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            service.erasure_certificate(asked, &message.pool, &message.id, |answer| {
                wire::rendered(shown::certificate(answer))
            })
        })
        .await
    }

    async fn get_withdrawn(
        &self,
        request: Request<v1::GetWithdrawnRequest>,
    ) -> Result<Response<v1::GetWithdrawnResponse>, Status> {
        const RPC: &str = rpc!("GetWithdrawn");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request =
                WithdrawnRequest { pool: message.pool, subject: message.subject_id, image: message.image_id };
            service.read_withdrawn(asked, &request, |answer| {
                let (message, image) = shown::withdrawn(answer);
                // The stored bytes leave the image out: it is in the pool, where erasure reaches it.
                let mut rendered = wire::rendered(message);
                rendered.message.image = Bytes::copy_from_slice(&image);
                rendered
            })
        })
        .await
    }

    async fn list_reimports(
        &self,
        request: Request<v1::ListReimportsRequest>,
    ) -> Result<Response<v1::ListReimportsResponse>, Status> {
        const RPC: &str = rpc!("ListReimports");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            service.list_reimports(asked, &message.pool, message.also_decided, |answer| {
                wire::rendered(v1::ListReimportsResponse {
                    reimports: answer.held_back.iter().map(shown::reimport).collect(),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn decide_reimport(
        &self,
        request: Request<v1::DecideReimportRequest>,
    ) -> Result<Response<v1::DecideReimportResponse>, Status> {
        const RPC: &str = rpc!("DecideReimport");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = DecideRequest {
                pool: message.pool,
                id: message.id,
                allow: message.allow,
                reason: message.reason,
            };
            service.decide_reimport(asked, &request, |answer| {
                wire::rendered(v1::DecideReimportResponse {
                    reimport: answer.held_back.first().map(shown::reimport),
                    receipt: None,
                })
            })
        })
        .await
    }
}
