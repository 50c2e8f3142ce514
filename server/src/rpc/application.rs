//! `DeletionApplicationService`.
use likeness_proto::v1::{self, deletion_application_service_server::DeletionApplicationService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{ApplicationStep, ApplicationsRequest, ReceiveRequest, StepRequest, SubjectChoice};

mod shown;
mod stated;

macro_rules! rpc {
    ($call:literal) => {
        concat!("likeness.v1.DeletionApplicationService/", $call)
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

/// The answer to a step: the application and what follows, in a message of its own.
macro_rules! stepped {
    ($response:ident) => {
        |answer| {
            wire::rendered(v1::$response {
                application: Some(shown::application(&answer.pool, &answer.applied, answer.today)),
                consequence: Some(shown::consequence(
                    &answer.consequence,
                    answer.state,
                    answer.next_review_on,
                )),
                receipt: None,
            })
        }
    };
}

#[tonic::async_trait]
impl DeletionApplicationService for Desk {
    async fn receive_application(
        &self,
        request: Request<v1::ReceiveApplicationRequest>,
    ) -> Result<Response<v1::ReceiveApplicationResponse>, Status> {
        const RPC: &str = rpc!("ReceiveApplication");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = ReceiveRequest {
                pool: message.pool,
                subject: choice!(receive_application_request, message.subject),
                force: message.force,
                received_on: stated::day("received_on", &message.received_on),
                grounds: message.grounds,
            };
            service.receive_application(asked, &request, stepped!(ReceiveApplicationResponse))
        })
        .await
    }

    async fn decide_application(
        &self,
        request: Request<v1::DecideApplicationRequest>,
    ) -> Result<Response<v1::DecideApplicationResponse>, Status> {
        const RPC: &str = rpc!("DecideApplication");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = StepRequest {
                pool: message.pool,
                application: message.application_id,
                step: ApplicationStep::Decide(stated::decision(message.decision)),
            };
            service.step_application(asked, &request, stepped!(DecideApplicationResponse))
        })
        .await
    }

    async fn appeal_application(
        &self,
        request: Request<v1::AppealApplicationRequest>,
    ) -> Result<Response<v1::AppealApplicationResponse>, Status> {
        const RPC: &str = rpc!("AppealApplication");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = StepRequest {
                pool: message.pool,
                application: message.application_id,
                step: ApplicationStep::Appeal {
                    received_on: stated::day("received_on", &message.received_on),
                    grounds: message.grounds,
                },
            };
            service.step_application(asked, &request, stepped!(AppealApplicationResponse))
        })
        .await
    }

    async fn decide_appeal(
        &self,
        request: Request<v1::DecideAppealRequest>,
    ) -> Result<Response<v1::DecideAppealResponse>, Status> {
        const RPC: &str = rpc!("DecideAppeal");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = StepRequest {
                pool: message.pool,
                application: message.application_id,
                step: ApplicationStep::DecideAppeal(stated::decision(message.decision)),
            };
            service.step_application(asked, &request, stepped!(DecideAppealResponse))
        })
        .await
    }

    async fn get_applications(
        &self,
        request: Request<v1::GetApplicationsRequest>,
    ) -> Result<Response<v1::GetApplicationsResponse>, Status> {
        const RPC: &str = rpc!("GetApplications");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let subject = choice!(get_applications_request, message.subject);
            service.read_applications(asked, &message.pool, &subject, |answer| {
                wire::rendered(shown::applications(answer))
            })
        })
        .await
    }

    async fn list_applications(
        &self,
        request: Request<v1::ListApplicationsRequest>,
    ) -> Result<Response<v1::ListApplicationsResponse>, Status> {
        const RPC: &str = rpc!("ListApplications");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = ApplicationsRequest {
                pool: message.pool,
                list: message.list,
                after: message.after,
                limit: message.limit,
            };
            service.list_applications(asked, &request, |page| wire::rendered(shown::page(page)))
        })
        .await
    }

    async fn get_application_statistics(
        &self,
        request: Request<v1::GetApplicationStatisticsRequest>,
    ) -> Result<Response<v1::GetApplicationStatisticsResponse>, Status> {
        const RPC: &str = rpc!("GetApplicationStatistics");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let publishable = message.publishable;
            service.application_statistics(asked, &message.pool, publishable, |answer| {
                wire::rendered(shown::statistics(answer))
            })
        })
        .await
    }
}
