//! The door: how many calls are inside at once, and how long one may take to bring its message.
//!
//! It stands before the message is read, so a full service spends no memory on those it turns away. Whatever never reaches an
//! operation (no room, too slow, unreadable, no such call) is recorded here.
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body, codegen::http};
use tower::{Layer, Service as Tower};

use super::{
    context::{http_peer, token},
    desk::{Slot, turn_away},
    status,
};
use crate::service::{Peer, Refusal, RefusalKind, Service, TurnedAway};

/// Start of the path of every call of ours. Health and reflection pass without a slot and reach nothing of a pool.
const OURS: &str = "/likeness.";
const ENROL_STREAM: &str = "/likeness.v1.EnrolmentService/EnrolStream";
/// Turned-away calls that may be recorded at once; the others are counted, and the count is recorded with the next one.
const RECORDERS: usize = 16;

/// Puts the door before the services.
#[derive(Clone)]
pub(crate) struct DoorLayer {
    service: Arc<Service>,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    recorders: Arc<Semaphore>,
    unrecorded: Arc<AtomicU64>,
    patience: Duration,
}

impl DoorLayer {
    pub(crate) fn new(service: &Arc<Service>) -> DoorLayer {
        let limits = &service.config().limits;
        DoorLayer {
            service: Arc::clone(service),
            requests: Arc::new(Semaphore::new(limits.concurrent_requests)),
            streams: Arc::new(Semaphore::new(limits.concurrent_streams)),
            recorders: Arc::new(Semaphore::new(RECORDERS)),
            unrecorded: Arc::new(AtomicU64::new(0)),
            patience: limits.request_deadline,
        }
    }

    /// Records that a call was turned away, unless so many are being recorded that it is only counted.
    async fn away(
        &self,
        (rpc, peer, token): (String, Peer, Option<String>),
        refusal: Refusal,
        code: Option<Code>,
    ) -> Status {
        let Ok(_recorder) = self.recorders.try_acquire() else {
            self.unrecorded.fetch_add(1, Ordering::Relaxed);
            return Status::new(code.unwrap_or(status::code(refusal.kind)), refusal.message);
        };
        let unrecorded_before = self.unrecorded.swap(0, Ordering::Relaxed);
        turn_away(&self.service, TurnedAway { rpc, token, peer, unrecorded_before }, refusal, code).await
    }
}

impl<S> Layer<S> for DoorLayer {
    type Service = Door<S>;

    fn layer(&self, inner: S) -> Door<S> {
        Door { layer: self.clone(), inner }
    }
}

/// A service behind the door.
#[derive(Clone)]
pub(crate) struct Door<S> {
    layer: DoorLayer,
    inner: S,
}

impl<S> Tower<http::Request<Body>> for Door<S>
where
    S: Tower<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The one that was polled ready is used; the fresh clone takes its place.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let path = request.uri().path();
        if !path.starts_with(OURS) {
            return Box::pin(inner.call(request));
        }
        let layer = self.layer.clone();
        let rpc = path.trim_start_matches('/').to_owned();
        let token = token(request.headers());
        let who = (rpc, http_peer(request.extensions()), token);
        let bulk = path == ENROL_STREAM;
        Box::pin(async move {
            let room = if bulk { &layer.streams } else { &layer.requests };
            let Ok(room) = Arc::clone(room).try_acquire_owned() else {
                return Ok(layer.away(who, busy(bulk), None).await.into_http());
            };
            let slot = Slot::new(room);
            request.extensions_mut().insert(slot.clone());
            let mut response = Box::pin(inner.call(request));
            // A message that trickles in must not hold its room for ever. Once the operation has begun, it keeps its own time.
            let answered = match tokio::time::timeout(layer.patience, &mut response).await {
                Ok(answered) => answered,
                Err(_) if slot.has_begun() => {
                    drop(slot);
                    response.await
                }
                Err(_) => {
                    drop(response);
                    return Ok(layer.away(who, too_slow(), None).await.into_http());
                }
            };
            let answered = answered?;
            // A call that its service does not know is answered by generated code, in the headers alone.
            let unsettled = answered
                .extensions()
                .get::<Status>()
                .cloned()
                .or_else(|| Status::from_header_map(answered.headers()))
                .filter(|status| status.code() != Code::Ok && !status::is_settled(status));
            match unsettled {
                None => Ok(answered),
                Some(status) => {
                    let (refusal, code) = unreadable(&status);
                    Ok(layer.away(who, refusal, Some(code)).await.into_http())
                }
            }
        })
    }
}

fn busy(bulk: bool) -> Refusal {
    let what = if bulk { "bulk enrolments are running" } else { "requests are being worked on" };
    Refusal::new(RefusalKind::Busy, "busy", format!("as many {what} as this server takes; try again later"))
}

fn too_slow() -> Refusal {
    Refusal::new(
        RefusalKind::Deadline,
        "request_too_slow",
        "the request did not arrive in the time allowed; try again",
    )
}

/// What a status that no operation gave means, and the code the caller sees.
fn unreadable(status: &Status) -> (Refusal, Code) {
    match status.code() {
        Code::Unimplemented => {
            (Refusal::invalid("no_such_call", "there is no such call"), Code::Unimplemented)
        }
        // The message is longer than the limit: said by the decoder before it is read.
        Code::OutOfRange | Code::ResourceExhausted => (
            Refusal::invalid(
                "message_too_large",
                "the message is longer than this server accepts; send a smaller image",
            ),
            Code::InvalidArgument,
        ),
        _ => (
            Refusal::invalid("unreadable_request", "the request is not a readable message of this call"),
            Code::InvalidArgument,
        ),
    }
}
