//! Where a call's work is done: on threads that may block, never on the async workers, within the room the door gave it.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::{Extensions, Request, Response, Status};

use super::{
    context::{Arrived, peer},
    status::{self, Receipted},
    wire,
};
use crate::service::{Answer, Peer, Refusal, RefusalKind, Service, TurnedAway, Unanswered};

/// What every call of every service is handled with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(super) service: Arc<Service>,
    /// Longest time for a unary call.
    pub(super) deadline: Duration,
    /// Bulk images looked at at once, over all streams: leaves the matcher's queue to the searches.
    pub(super) looks: Arc<Semaphore>,
    /// Room for bulk images in memory, in KiB, over all streams.
    pub(super) buffer: Arc<Semaphore>,
    /// Turns true when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
}

/// Room for one call, held until its work is done.
#[derive(Clone)]
pub(super) struct Slot(Arc<Held>);

struct Held {
    /// Only kept: dropping it makes the room free.
    _room: OwnedSemaphorePermit,
    begun: AtomicBool,
}

impl Slot {
    pub(super) fn new(room: OwnedSemaphorePermit) -> Slot {
        Slot(Arc::new(Held { _room: room, begun: AtomicBool::new(false) }))
    }

    /// True once the whole request is there and its operation has begun: from then on the operation records how it ends.
    pub(super) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// The slot that the door put into a request. Without one, nothing is done.
    pub(super) fn take(extensions: &mut Extensions) -> Result<Slot, Status> {
        let slot =
            extensions.remove::<Slot>().ok_or_else(|| Status::internal("the call came in past the door"))?;
        slot.0.begun.store(true, Ordering::Release);
        Ok(slot)
    }
}

impl Desk {
    pub(crate) fn new(service: &Arc<Service>, stopping: watch::Receiver<bool>) -> Desk {
        let config = service.config();
        Desk {
            service: Arc::clone(service),
            deadline: config.limits.request_deadline,
            looks: Arc::new(Semaphore::new(config.matcher.sessions.saturating_mul(2).max(2))),
            buffer: Arc::new(Semaphore::new(
                (config.limits.stream_buffer_bytes / 1024).min(Semaphore::MAX_PERMITS),
            )),
            stopping,
        }
    }

    /// Does the work of one unary call and puts its receipt into the answer.
    pub(super) async fn unary<T, M>(
        &self,
        rpc: &'static str,
        mut request: Request<T>,
        work: impl FnOnce(&Arc<Service>, Arrived, T) -> Result<Answer<M>, Unanswered> + Send + 'static,
    ) -> Result<Response<M>, Status>
    where
        T: Send + 'static,
        M: Receipted + Send + 'static,
    {
        let slot = Slot::take(request.extensions_mut())?;
        let headers = request.metadata().clone().into_headers();
        let arrived = Arrived::read(peer(request.extensions()), &headers, self.deadline);
        let (came, token) = (arrived.peer.clone(), arrived.token.clone());
        let message = request.into_inner();
        let service = Arc::clone(&self.service);
        let done = tokio::task::spawn_blocking(move || {
            // Here and not in the future: when the client goes away, the work still ends, and only then is there room again.
            let _slot = slot;
            work(&service, arrived, message)
        });
        match done.await {
            Ok(Ok(answer)) => Ok(Response::new(finish(answer))),
            Ok(Err(refused)) => Err(status::unanswered(refused)),
            Err(_) => Err(self.broken(rpc, came, token).await),
        }
    }

    /// Records that the work of a call broke off: a defect, caught at the last moment.
    pub(super) async fn broken(&self, rpc: &'static str, peer: Peer, token: Option<String>) -> Status {
        let refusal = Refusal::new(
            RefusalKind::Fault,
            "broke_off",
            "the service failed; the failure is recorded under the event id",
        );
        turn_away(
            &self.service,
            TurnedAway { rpc: rpc.to_owned(), token, peer, unrecorded_before: 0 },
            refusal,
            None,
        )
        .await
    }
}

/// The message with its receipt.
pub(super) fn finish<M: Receipted>(answer: Answer<M>) -> M {
    let (mut message, receipt, _) = answer.into_parts();
    message.receipt(wire::receipt(&receipt));
    message
}

/// Records a request that no operation will record, off the async workers.
pub(super) async fn turn_away(
    service: &Arc<Service>,
    request: TurnedAway,
    refusal: Refusal,
    code: Option<tonic::Code>,
) -> Status {
    let service = Arc::clone(service);
    match tokio::task::spawn_blocking(move || service.turn_away(&request, refusal)).await {
        Ok(unanswered) => match code {
            Some(code) => status::unanswered_as(code, unanswered),
            None => status::unanswered(unanswered),
        },
        Err(_) => Status::unavailable("the request could not be recorded"),
    }
}
