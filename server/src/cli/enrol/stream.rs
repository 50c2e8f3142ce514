//! Sends a roll through one stream: bounded memory, answers in order, and a new stream where the last one broke.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use likeness_proto::v1::{EnrolRequest, EnrolResponse};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::{
    Terms,
    item::Item,
    progress::Progress,
    reader::{self, Work},
    roll::Roll,
    tally::Tally,
};
use crate::cli::{
    connect::Connection,
    failure::{Exit, Failure},
    profile::Profile,
    text::plain,
};

/// Items sent and not yet answered, at most: enough that the server's groups are full while it answers.
const WINDOW: usize = 256;
/// Images read ahead of the stream, and images between the stream and the socket. With the window, which keeps no
/// bytes, they bound the memory of a run whatever its length.
const READ_AHEAD: usize = 4;
const OUTGOING: usize = 2;
/// Attempts without a single new answer before giving up: about half a minute, enough for a server to restart.
const ATTEMPTS: u32 = 8;
/// How long answers are waited for after Ctrl-C.
const GRACE: Duration = Duration::from_secs(10);

/// How a run ended without failing.
#[derive(Debug, Eq, PartialEq)]
pub enum End {
    /// Everything on the roll has its answer.
    Finished,
    /// Ctrl-C.
    Stopped,
}

/// Why one stream ended.
enum Broken {
    /// Trying again may help.
    Passing(Failure),
    /// It will not.
    Final(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

struct Run<'a> {
    profile: &'a Profile,
    terms: &'a Terms,
    tally: &'a mut Tally,
    progress: &'a Progress,
    work: mpsc::Receiver<Work>,
    interrupt: Signal,
    /// Sent and not answered, oldest first.
    pending: VecDeque<Item>,
    /// Sent on a stream that broke: to be read and sent again.
    again: VecDeque<Item>,
    /// Read and not yet sent.
    ready: Option<(Item, Bytes)>,
    /// The roll has been read to its end.
    dry: bool,
}

/// Sends everything on `roll` and accounts for every answer in `tally`.
///
/// # Errors
/// The roll breaks off, the service refuses the stream, or no server answers although it was tried again.
pub async fn send(
    profile: &Profile,
    terms: &Terms,
    roll: &Arc<Roll>,
    tally: &mut Tally,
    progress: &Progress,
) -> Result<End, Failure> {
    let interrupt = signal(SignalKind::interrupt())
        .map_err(|error| Failure::fault(format!("cannot listen for Ctrl-C: {error}")))?;
    let work = reader::start(Arc::clone(roll), READ_AHEAD);
    let (pending, again) = (VecDeque::new(), VecDeque::new());
    let mut run =
        Run { profile, terms, tally, progress, work, interrupt, pending, again, ready: None, dry: false };
    let mut attempt = 0;
    loop {
        let before = run.tally.done();
        match run.stream().await {
            Ok(end) => return Ok(end),
            Err(Broken::Final(failure)) => return Err(failure),
            Err(Broken::Passing(failure)) => {
                let never = run.tally.done() == 0 && failure.exit() == Exit::Unreachable && attempt == 0;
                attempt = if run.tally.done() > before { 1 } else { attempt + 1 };
                if never || attempt > ATTEMPTS {
                    return Err(failure);
                }
                let wait = pause(attempt);
                progress.say(&format!(
                    "{}; trying again in {:.1} s",
                    plain(failure.summary()),
                    wait.as_secs_f64()
                ));
                tokio::select! {
                    () = sleep(wait) => {}
                    _ = run.interrupt.recv() => return Ok(End::Stopped),
                }
            }
        }
    }
}

/// A quarter of a second, doubling to eight seconds.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(250 << (attempt.saturating_sub(1)).min(5))
}

impl Run<'_> {
    async fn stream(&mut self) -> Result<End, Broken> {
        // What was sent and not answered may or may not be stored; the service knows and answers so.
        while let Some(item) = self.pending.pop_back() {
            self.again.push_front(item);
        }
        let connection = Connection::open(self.profile).await.map_err(|failure| match failure.exit() {
            Exit::Unreachable => Broken::Passing(failure),
            _ => Broken::Final(failure),
        })?;
        let (outgoing, requests) = mpsc::channel(OUTGOING);
        let (answered, mut answers) = mpsc::channel(WINDOW);
        let mut call = Call(tokio::spawn(converse(connection, requests, answered)));
        let mut outgoing = Some(outgoing);
        let mut first = true;
        let mut stop: Option<Instant> = None;
        loop {
            let nothing_left = self.dry && self.again.is_empty() && self.ready.is_none();
            if nothing_left || stop.is_some() {
                // Half-close: the service finishes what it has and ends the stream.
                outgoing = None;
            }
            tokio::select! {
                answer = answers.recv() => match answer {
                    Some(answer) => self.acknowledge(&answer)?,
                    None => {
                        let complete = self.pending.is_empty() && nothing_left;
                        return ended(call.join().await, complete, stop.is_some());
                    }
                },
                permit = room(outgoing.clone()), if self.ready.is_some() && self.pending.len() < WINDOW => {
                    // A closed channel means that the call is over; its answers tell why.
                    match (permit, self.ready.take()) {
                        (Some(permit), Some((item, image))) => {
                            permit.send(self.request(&item, image, std::mem::take(&mut first)));
                            self.pending.push_back(item);
                        }
                        (_, ready) => {
                            self.ready = ready;
                            outgoing = None;
                        }
                    }
                }
                work = next(&mut self.again, &mut self.work), if self.ready.is_none() && !nothing_left && stop.is_none() => {
                    self.take(work)?;
                }
                _ = self.interrupt.recv() => {
                    if stop.is_some() {
                        return Ok(End::Stopped);
                    }
                    self.progress.say("Stopping: waiting for the answers that are under way; Ctrl-C again to leave at once.");
                    stop = Some(Instant::now() + GRACE);
                }
                () = until(stop), if stop.is_some() => return Ok(End::Stopped),
            }
        }
    }

    fn take(&mut self, work: Option<Work>) -> Result<(), Failure> {
        match work {
            None => self.dry = true,
            Some(Work::Broken(failure)) => return Err(failure),
            Some(Work::LeftOut(file, why)) => self.tally.left_out(&file, why)?,
            Some(Work::Image(item, Ok(image))) => self.ready = Some((*item, image)),
            Some(Work::Image(item, Err(why))) => {
                self.tally.unsendable(&item, &why)?;
                self.progress.at(self.tally.done(), self.tally.refused());
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, answer: &EnrolResponse) -> Result<(), Failure> {
        let item = self
            .pending
            .pop_front()
            .ok_or_else(|| Failure::fault("the server sent more answers than it was asked for"))?;
        if answer.source_reference != item.source_reference {
            return Err(Failure::fault("the server's answers are not in the order of the images; nothing can be said about what was enrolled")
                .advise("run the same command again, with the `likeness` of the server's version"));
        }
        self.tally.answered(&item, answer)?;
        self.progress.at(self.tally.done(), self.tally.refused());
        Ok(())
    }

    /// The first message of a stream carries what is the same for all.
    fn request(&self, item: &Item, image: Bytes, first: bool) -> EnrolRequest {
        EnrolRequest {
            context: first.then(|| self.terms.context.clone()),
            pool: if first { self.terms.pool.clone() } else { String::new() },
            subject_reference: item.subject.clone(),
            source_reference: item.source_reference.clone(),
            image,
            selection: self.terms.select.wire(),
            capture_date: item.capture_date.clone(),
            capture_circumstance: item.capture_circumstance.clone(),
            details: item.details.clone(),
            hold_only: self.terms.hold_only,
        }
    }
}

/// The call itself, which dies with the run.
struct Call(JoinHandle<Result<(), Status>>);

impl Call {
    async fn join(&mut self) -> Result<(), Status> {
        (&mut self.0).await.unwrap_or_else(|_| Err(Status::cancelled("the call was given up")))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn converse(
    connection: Connection,
    requests: mpsc::Receiver<EnrolRequest>,
    answered: mpsc::Sender<EnrolResponse>,
) -> Result<(), Status> {
    let mut answers = connection.enrolment().enrol_stream(ReceiverStream::new(requests)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        if answered.send(answer).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn ended(result: Result<(), Status>, complete: bool, stopped: bool) -> Result<End, Broken> {
    match result {
        Ok(()) if complete => Ok(End::Finished),
        _ if stopped => Ok(End::Stopped),
        Ok(()) => Err(Broken::Passing(Failure::new(
            Exit::Unreachable,
            "the server ended the stream before everything was answered",
        ))),
        Err(status) if may_pass(&status) => Err(Broken::Passing(lost(status))),
        Err(status) => Err(Broken::Final(status.into())),
    }
}

/// Whether a new stream may fare better: the server is busy or restarting, or the connection broke.
fn may_pass(status: &Status) -> bool {
    let by_code = matches!(
        status.code(),
        Code::Unavailable
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::Aborted
            | Code::DeadlineExceeded
    );
    by_code || is_local(status)
}

/// A status with a cause was made on this side, of a transport error; one from the server has none.
fn is_local(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

fn lost(status: Status) -> Failure {
    if is_local(&status) {
        return Failure::new(Exit::Unreachable, "the connection to the server was lost").advise(
            "see that the server runs, then run the same command again; it continues where it stopped",
        );
    }
    status.into()
}

async fn room(outgoing: Option<mpsc::Sender<EnrolRequest>>) -> Option<mpsc::OwnedPermit<EnrolRequest>> {
    match outgoing {
        Some(outgoing) => outgoing.reserve_owned().await.ok(),
        // The call is over; wait for its answers to say why.
        None => std::future::pending().await,
    }
}

/// The next piece of work. Safe to drop at any await: an item leaves `again` only when it is returned.
async fn next(again: &mut VecDeque<Item>, work: &mut mpsc::Receiver<Work>) -> Option<Work> {
    let Some(item) = again.front().cloned() else {
        return work.recv().await;
    };
    let read = tokio::task::spawn_blocking(move || Work::read(item)).await;
    again.pop_front();
    read.ok().or_else(|| Some(Work::Broken(Failure::fault("reading an image was interrupted"))))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(1), Duration::from_millis(250));
        assert_eq!(pause(4), Duration::from_secs(2));
        assert_eq!(pause(100), Duration::from_secs(8));
    }

    #[test]
    fn only_passing_troubles_are_tried_again() {
        assert!(may_pass(&Status::unavailable("")));
        assert!(may_pass(&Status::resource_exhausted("")));
        assert!(may_pass(&Status::from_error(Box::new(std::io::Error::other("reset")))));
        for code in [
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::InvalidArgument,
            Code::Internal,
            Code::Unknown,
        ] {
            assert!(!may_pass(&Status::new(code, "")), "{code:?}");
        }
    }
}
