//! Every call about deletion lists, once.
use likeness_proto::v1::{
    AcknowledgeDeletionListRequest, GetDeletionListAgeingRequest, GetDeletionListRequest,
    LineAcknowledgement, ListDeletionListsRequest, MakeDeletionListRequest, ReconcileDeletionListRequest,
    deletion_list_service_client,
};
use tonic::transport::Channel;

use crate::{
    client::{Token, context},
    ledger::Ledger,
};

/// A list of the one image that is beyond use, from its making to its comparison.
///
/// # Panics
/// When a call is refused, or is not recorded as what it is.
pub async fn each_call(ledger: &mut Ledger<'_>, channel: Channel, me: Token) {
    let asked = || Some(context("record_management", "LIST-1"));
    let pool = || String::from("cells");
    let mut listing = deletion_list_service_client::DeletionListServiceClient::with_interceptor(channel, me);
    // Nobody recorded a custody event: the force is known by the system that the image came from.
    let request = MakeDeletionListRequest {
        context: asked(),
        pool: pool(),
        force: "kent".into(),
        source_systems: vec!["likeness-cli".into()],
        ..MakeDeletionListRequest::default()
    };
    let made = listing.make_deletion_list(request).await.unwrap().into_inner().list.unwrap();
    assert_eq!(made.lines, 1);
    ledger.check("DeletionListService/MakeDeletionList");
    let request = ListDeletionListsRequest { context: asked(), pool: pool(), ..Default::default() };
    assert_eq!(listing.list_deletion_lists(request).await.unwrap().into_inner().lists.len(), 1);
    ledger.check("DeletionListService/ListDeletionLists");
    let mut image = String::new();
    for recipient in ["", "the records unit"] {
        let (context, id) = (asked(), made.id.clone());
        let request = GetDeletionListRequest { context, pool: pool(), id, recipient: recipient.into() };
        let read = listing.get_deletion_list(request).await.unwrap().into_inner();
        assert_eq!(read.list_json.is_empty(), recipient.is_empty());
        image.clone_from(&read.lines[0].image_id);
        ledger.check("DeletionListService/GetDeletionList");
    }
    let line = LineAcknowledgement { image_id: image, answered: "deleted".into(), ..Default::default() };
    let (context, id, lines) = (asked(), made.id.clone(), vec![line]);
    let request = AcknowledgeDeletionListRequest { context, pool: pool(), id, lines };
    listing.acknowledge_deletion_list(request).await.unwrap();
    ledger.check("DeletionListService/AcknowledgeDeletionList");
    let request = GetDeletionListAgeingRequest { context: asked(), pool: pool(), force: String::new() };
    assert!(listing.get_deletion_list_ageing(request).await.unwrap().into_inner().forces.is_empty());
    ledger.check("DeletionListService/GetDeletionListAgeing");
    let request = ReconcileDeletionListRequest { context: asked(), pool: pool(), id: made.id };
    assert_eq!(listing.reconcile_deletion_list(request).await.unwrap().into_inner().agreed, 1);
    ledger.check("DeletionListService/ReconcileDeletionList");
}
