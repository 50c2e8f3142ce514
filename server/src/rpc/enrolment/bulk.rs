//! A bulk enrolment: images are looked at while others are being committed, results leave in order, memory stays bounded.
//!
//! ```text
//! read -> (room in memory) -> look at, several at once -> queue, in order -> commit what is ready, up to 32 -> results
//! ```
//! Every arrow waits: a slow client, a slow disk or a slow processor holds back everything before it.
use std::sync::Arc;

use likeness_proto::v1;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinHandle,
};
use tonic::{Status, Streaming};

use super::{ENROL_STREAM, item_deadline, render, split};
use crate::{
    rpc::{
        context::{Arrived, fields},
        desk::{Desk, finish, turn_away},
        status,
    },
    service::{EnrolItem, Enrolment, GROUP, Peer, Prepared, Refusal, RefusalKind, TurnedAway},
};

type Results = mpsc::Sender<Result<v1::EnrolResponse, Status>>;

/// What the reader hands on, in the order of the stream.
enum Step {
    Item(Job),
    /// The stream cannot go on, for this reason.
    End(Refusal),
}

/// An item being looked at.
struct Job {
    prepared: JoinHandle<Prepared>,
    /// Given back when the item is committed.
    room: OwnedSemaphorePermit,
}

/// What the reader found instead of a message.
enum Next {
    Message(Box<v1::EnrolRequest>),
    Done,
    Broken(Refusal),
}

/// Runs one stream to its end.
pub(super) async fn run(
    desk: &Desk,
    (peer, token): (Peer, Option<String>),
    mut messages: Streaming<v1::EnrolRequest>,
    results: Results,
) {
    let first = match next(desk, &mut messages).await {
        Next::Message(first) => *first,
        Next::Done => {
            return away(
                desk,
                peer,
                token,
                Refusal::invalid("empty_stream", "the stream holds no item"),
                &results,
            )
            .await;
        }
        Next::Broken(refusal) => return away(desk, peer, token, refusal, &results).await,
    };
    let (context, pool, item) = split(first);
    let enrolment = {
        let service = Arc::clone(&desk.service);
        let arrived = Arrived { peer: peer.clone(), token: token.clone(), deadline: item_deadline(desk) };
        tokio::task::spawn_blocking(move || {
            service.begin_enrolment(arrived.asked(ENROL_STREAM, context, Vec::new()), &pool)
        })
        .await
    };
    let enrolment = match enrolment {
        Ok(Ok(enrolment)) => Arc::new(enrolment),
        Ok(Err(refused)) => return end(&results, status::unanswered(refused)).await,
        Err(_) => {
            let status = desk.broken(ENROL_STREAM, peer, token).await;
            return end(&results, status).await;
        }
    };
    let (queue, steps) = mpsc::channel(GROUP);
    let reader = tokio::spawn(read(desk.clone(), Arc::clone(&enrolment), item, messages, queue));
    commit(desk, &enrolment, (peer, token), steps, &results).await;
    // Without a committer there is nothing to read for.
    reader.abort();
}

/// Reads items and has them looked at.
async fn read(
    desk: Desk,
    enrolment: Arc<Enrolment>,
    first: EnrolItem,
    mut messages: Streaming<v1::EnrolRequest>,
    queue: mpsc::Sender<Step>,
) {
    let mut waiting = Some((first, None));
    loop {
        let (item, refusal) = match waiting.take() {
            Some(given) => given,
            None => match next(&desk, &mut messages).await {
                Next::Message(message) => checked(&enrolment, *message),
                Next::Done => return,
                Next::Broken(refusal) => {
                    // The queue is closed only when the committer gave up; then the client knows already.
                    let _ = queue.send(Step::End(refusal)).await;
                    return;
                }
            },
        };
        // At most one message per stream is in memory without room: it must be read to know how long it is.
        let kibibytes = u32::try_from((item.image.len() + item.request.len()) / 1024 + 1).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&desk.buffer).acquire_many_owned(kibibytes).await else { return };
        let Ok(look) = Arc::clone(&desk.looks).acquire_owned().await else { return };
        let enrolment = Arc::clone(&enrolment);
        let deadline = item_deadline(&desk);
        let prepared = tokio::task::spawn_blocking(move || {
            let _look = look;
            match refusal {
                Some(refusal) => enrolment.refused_item(item, refusal),
                None => enrolment.prepare(item, deadline),
            }
        });
        if queue.send(Step::Item(Job { prepared, room })).await.is_err() {
            return;
        }
    }
}

/// Commits what is ready, in order, in groups as large as have become ready meanwhile.
async fn commit(
    desk: &Desk,
    enrolment: &Arc<Enrolment>,
    (peer, token): (Peer, Option<String>),
    mut steps: mpsc::Receiver<Step>,
    results: &Results,
) {
    let mut kept_back = None;
    loop {
        let step = match kept_back.take() {
            Some(step) => step,
            None => match steps.recv().await {
                Some(step) => step,
                None => return,
            },
        };
        let job = match step {
            Step::Item(job) => job,
            Step::End(refusal) => {
                let enrolment = Arc::clone(enrolment);
                let status = match tokio::task::spawn_blocking(move || enrolment.refuse(refusal)).await {
                    Ok(unanswered) => status::unanswered(unanswered),
                    Err(_) => desk.broken(ENROL_STREAM, peer, token).await,
                };
                return end(results, status).await;
            }
        };
        let mut jobs = vec![job];
        while jobs.len() < GROUP {
            match steps.try_recv() {
                Ok(Step::Item(job)) if job.prepared.is_finished() => jobs.push(job),
                Ok(step) => {
                    kept_back = Some(step);
                    break;
                }
                Err(_) => break,
            }
        }
        let mut group = Vec::with_capacity(jobs.len());
        let mut rooms = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Ok(prepared) = job.prepared.await else {
                let status = desk.broken(ENROL_STREAM, peer, token).await;
                return end(results, status).await;
            };
            group.push(prepared);
            rooms.push(job.room);
        }
        let deadline = item_deadline(desk);
        let committing = Arc::clone(enrolment);
        let committed = tokio::task::spawn_blocking(move || committing.commit(group, deadline, render)).await;
        drop(rooms);
        let answers = match committed {
            Ok(Ok(answers)) => answers,
            Ok(Err(refused)) => return end(results, status::unanswered(refused)).await,
            Err(_) => {
                let status = desk.broken(ENROL_STREAM, peer, token).await;
                return end(results, status).await;
            }
        };
        for answer in answers {
            if results.send(Ok(finish(answer))).await.is_err() {
                // The client is gone; what was stored is found again under its references.
                return;
            }
        }
    }
}

/// The next message, unless the client is silent for too long or the server stops.
async fn next(desk: &Desk, messages: &mut Streaming<v1::EnrolRequest>) -> Next {
    let idle = desk.service.config().limits.stream_idle;
    let mut stopping = desk.stopping.clone();
    tokio::select! {
        message = tokio::time::timeout(idle, messages.message()) => match message {
            Ok(Ok(Some(message))) => Next::Message(Box::new(message)),
            Ok(Ok(None)) => Next::Done,
            Ok(Err(status)) => Next::Broken(Refusal::invalid(
                "unreadable_request",
                format!("the stream broke off or holds a message that is too long or unreadable ({:?})", status.code()),
            )),
            Err(_) => Next::Broken(Refusal::new(RefusalKind::Deadline, "stream_idle", "no item came for too long; send the rest again")),
        },
        _ = stopping.wait_for(|stopping| *stopping) => Next::Broken(Refusal::new(
            RefusalKind::Unavailable,
            "stopping",
            "the server is stopping; what was answered is stored, send the rest again later",
        )),
    }
}

/// An item of the stream, or why it is refused before it is looked at: one stream has one context and one pool.
fn checked(enrolment: &Enrolment, message: v1::EnrolRequest) -> (EnrolItem, Option<Refusal>) {
    let (context, pool, item) = split(message);
    let refusal = if context.is_some() && fields(context) != *enrolment.context() {
        Some(Refusal::invalid(
            "context_differs",
            "`context` differs from that of the stream's first message; open another stream for it",
        ))
    } else if !pool.is_empty() && pool != enrolment.pool() {
        Some(Refusal::invalid(
            "pool_differs",
            "`pool` differs from that of the stream's first message; open another stream for it",
        ))
    } else {
        None
    };
    (item, refusal)
}

/// Records a stream that never became an enrolment.
async fn away(desk: &Desk, peer: Peer, token: Option<String>, refusal: Refusal, results: &Results) {
    let request = TurnedAway { rpc: ENROL_STREAM.to_owned(), token, peer, unrecorded_before: 0 };
    let status = turn_away(&desk.service, request, refusal, None).await;
    end(results, status).await;
}

async fn end(results: &Results, status: Status) {
    // A client that is gone needs no status.
    let _ = results.send(Err(status)).await;
}
