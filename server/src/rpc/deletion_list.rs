//! `DeletionListService`.
use likeness_proto::v1::{self, deletion_list_service_server::DeletionListService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{
    AcknowledgeRequest, AgeingRequest, DeletionListsRequest, LineAnswer, MakeDeletionList, ReadDeletionList,
};

mod shown;

macro_rules! rpc {
    ($call:literal) => {
        concat!("likeness.v1.DeletionListService/", $call)
    };
}

#[tonic::async_trait]
impl DeletionListService for Desk {
    async fn make_deletion_list(
        &self,
        request: Request<v1::MakeDeletionListRequest>,
    ) -> Result<Response<v1::MakeDeletionListResponse>, Status> {
        const RPC: &str = rpc!("MakeDeletionList");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = MakeDeletionList {
                pool: message.pool,
                force: message.force,
                source_systems: message.source_systems,
                due_from: message.due_from,
                due_until: message.due_until,
                again: message.again,
                limit: message.limit,
            };
            service.make_deletion_list(asked, &request, |made| {
                wire::rendered(v1::MakeDeletionListResponse {
                    list: Some(shown::summary(&made.list)),
                    unattributed: made.unattributed,
                    held: made.held,
                    more: made.more,
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn list_deletion_lists(
        &self,
        request: Request<v1::ListDeletionListsRequest>,
    ) -> Result<Response<v1::ListDeletionListsResponse>, Status> {
        const RPC: &str = rpc!("ListDeletionLists");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = DeletionListsRequest {
                pool: message.pool,
                force: message.force,
                after: message.after,
                limit: message.limit,
            };
            service.list_deletion_lists(asked, &request, |page| {
                wire::rendered(v1::ListDeletionListsResponse {
                    lists: page.lists.iter().map(shown::summary).collect(),
                    next: page.next.unwrap_or_default(),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn get_deletion_list(
        &self,
        request: Request<v1::GetDeletionListRequest>,
    ) -> Result<Response<v1::GetDeletionListResponse>, Status> {
        const RPC: &str = rpc!("GetDeletionList");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request =
                ReadDeletionList { pool: message.pool, id: message.id, recipient: message.recipient };
            service.read_deletion_list(asked, &request, |read| {
                // The stored bytes leave the list out: it is sealed with the people it is about, where erasure reaches it, and
                // its digests are in the statement.
                let mut rendered = wire::rendered(shown::read(read));
                if let Some(files) = &read.files {
                    rendered.message.list_json.clone_from(&files.json);
                    rendered.message.list_csv.clone_from(&files.csv);
                }
                rendered
            })
        })
        .await
    }

    async fn acknowledge_deletion_list(
        &self,
        request: Request<v1::AcknowledgeDeletionListRequest>,
    ) -> Result<Response<v1::AcknowledgeDeletionListResponse>, Status> {
        const RPC: &str = rpc!("AcknowledgeDeletionList");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let lines = message.lines.into_iter().map(|line| LineAnswer {
                image_id: line.image_id,
                answered: line.answered,
                reason: line.reason,
                on: line.on,
            });
            let request = AcknowledgeRequest { pool: message.pool, id: message.id, lines: lines.collect() };
            service.acknowledge_deletion_list(asked, &request, |list| {
                wire::rendered(v1::AcknowledgeDeletionListResponse {
                    list: Some(shown::summary(list)),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn get_deletion_list_ageing(
        &self,
        request: Request<v1::GetDeletionListAgeingRequest>,
    ) -> Result<Response<v1::GetDeletionListAgeingResponse>, Status> {
        const RPC: &str = rpc!("GetDeletionListAgeing");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            let request = AgeingRequest { pool: message.pool, force: message.force };
            service.deletion_list_ageing(asked, &request, |aged| wire::rendered(shown::ageing(aged)))
        })
        .await
    }

    async fn reconcile_deletion_list(
        &self,
        request: Request<v1::ReconcileDeletionListRequest>,
    ) -> Result<Response<v1::ReconcileDeletionListResponse>, Status> {
        const RPC: &str = rpc!("ReconcileDeletionList");
        self.unary(RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RPC, message.context, kept);
            service.reconcile_deletion_list(asked, &message.pool, &message.id, |found| {
                wire::rendered(shown::reconciled(found))
            })
        })
        .await
    }
}
