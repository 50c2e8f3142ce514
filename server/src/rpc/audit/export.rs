//! The entries of an export, as fast as the client takes them and no faster.
use std::sync::Arc;

use likeness_proto::v1;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{entry, forgotten};
use crate::{
    audit::StoredEntry,
    rpc::{Desk, desk::Slot, status},
    service::{Refusal, Service},
};

type Part = Result<v1::ExportResponse, Status>;

/// Sends the recorded first message, the head, and every entry under it.
pub(super) fn stream(desk: &Desk, slot: Option<Slot>, first: v1::ExportResponse) -> ReceiverStream<Part> {
    let (sender, parts) = mpsc::channel(2);
    let (service, mut stopping) = (Arc::clone(&desk.service), desk.stopping.clone());
    tokio::spawn(async move {
        let _slot = slot;
        tokio::select! {
            () = send_all(&service, &sender, first) => {}
            // A dropped sender ends the export like a stop.
            _ = stopping.wait_for(|stopping| *stopping) => {
                let _ = sender.try_send(Err(Status::unavailable("the server is stopping; export again later")));
            }
        }
    });
    ReceiverStream::new(parts)
}

async fn send_all(service: &Arc<Service>, sender: &Sender<Part>, first: v1::ExportResponse) {
    if !send(service, sender, Ok(first)).await {
        return;
    }
    let head = match aside(service, Service::export_head).await {
        Ok(head) => head,
        Err(status) => {
            send(service, sender, Err(status)).await;
            return;
        }
    };
    let checkpoint = v1::ExportResponse { checkpoint: head.checkpoint, ..v1::ExportResponse::default() };
    let mut going_on = send(service, sender, Ok(checkpoint)).await;
    let mut next = 0;
    while going_on && next < head.size {
        let stubs = match aside(service, move |service| service.export_stubs(next)).await {
            Ok(stubs) => stubs,
            Err(status) => {
                send(service, sender, Err(status)).await;
                return;
            }
        };
        let fits = stubs.iter().zip(next..).all(|(stub, index)| stub.index == index);
        if stubs.is_empty() || !fits {
            break;
        }
        next += stubs.len() as u64;
        let entries = stubs.iter().map(forgotten).collect();
        going_on =
            send(service, sender, Ok(v1::ExportResponse { entries, ..v1::ExportResponse::default() })).await;
    }
    while going_on && next < head.size {
        let part = aside(service, move |service| service.export_part(next, head.size)).await;
        let part = part.and_then(|entries| whole(&entries, next).map(|()| entries));
        going_on = match part {
            Ok(entries) => {
                next += entries.len() as u64;
                let entries = entries.iter().map(entry).collect();
                send(service, sender, Ok(v1::ExportResponse { entries, ..v1::ExportResponse::default() }))
                    .await
            }
            Err(status) => {
                send(service, sender, Err(status)).await;
                false
            }
        };
    }
}

/// Refuses a part that is empty or has a gap: the log was damaged while it was read.
fn whole(entries: &[StoredEntry], from: u64) -> Result<(), Status> {
    let fits = !entries.is_empty() && entries.iter().zip(from..).all(|(stored, index)| stored.index == index);
    if fits {
        Ok(())
    } else {
        Err(Status::data_loss("entries of the log are missing; run `likeness audit verify`"))
    }
}

/// Reads the log off the async workers.
async fn aside<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Status> {
    let service = Arc::clone(service);
    match tokio::task::spawn_blocking(move || work(&service)).await {
        Ok(done) => done.map_err(|refusal| Status::new(status::code(refusal.kind), refusal.message)),
        Err(_) => Err(Status::internal("the export broke off")),
    }
}

/// False when the client is gone, or takes nothing for as long as a stream may be idle.
async fn send(service: &Service, sender: &Sender<Part>, part: Part) -> bool {
    let patience = service.config().limits.stream_idle;
    matches!(tokio::time::timeout(patience, sender.send(part)).await, Ok(Ok(())))
}
