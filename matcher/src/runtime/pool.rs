//! A fixed number of sessions, each on its own thread, behind a bounded queue with a bounded wait.
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Inference, Output, Side, Tensor, session::Session};
use crate::fault::{Fault, Network};

/// How many sessions, how many may queue for them, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Sessions, and threads. 1 to 1,024.
    pub sessions: usize,
    /// Inferences that may wait for a session. At most 65,536.
    pub queue: usize,
    /// Longest time from the call to its answer. At most an hour.
    pub wait: Duration,
}

/// More threads than any machine of today has processors.
const MOST_SESSIONS: usize = 1_024;
/// Room for a queue is taken at the start.
const LONGEST_QUEUE: usize = 65_536;
/// Nobody waits longer for one image; it also keeps clock arithmetic in range.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

impl PoolSize {
    /// Refuses sizes that cannot work.
    ///
    /// # Errors
    /// [`Fault::Options`] with the bound that is passed.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if !(1..=MOST_SESSIONS).contains(&self.sessions) {
            return Err(Fault::Options("`sessions` must be 1 to 1,024"));
        }
        if self.queue > LONGEST_QUEUE {
            return Err(Fault::Options("`queue` must be at most 65,536"));
        }
        if self.wait > LONGEST_WAIT {
            return Err(Fault::Options("`wait` must be at most an hour"));
        }
        Ok(())
    }
}

struct Job {
    input: Tensor,
    answer: SyncSender<Result<Vec<Output>, Fault>>,
}

/// One network in a fixed number of sessions. Dropping it ends its threads after the jobs they are running.
pub struct SessionPool {
    network: Network,
    input: Vec<Side>,
    size: PoolSize,
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl SessionPool {
    /// Loads ONNX Runtime from `library` (once per process) and the network into `size.sessions` sessions.
    ///
    /// # Errors
    /// [`Fault::Runtime`] and [`Fault::RuntimeDiffers`] about the library, [`Fault::Model`] about the network,
    /// [`Fault::Options`] when a size is out of range, [`Fault::Stopped`] when a thread does not start.
    pub fn start(library: &Path, network: Network, onnx: &[u8], size: PoolSize) -> Result<Self, Fault> {
        size.check()?;
        let sessions: Vec<_> =
            (0..size.sessions).map(|_| Session::load(library, network, onnx)).collect::<Result<_, _>>()?;
        let input = sessions.first().map(|session| session.input().to_vec()).unwrap_or_default();
        let (jobs, waiting) = sync_channel::<Job>(size.queue.saturating_add(size.sessions));
        let waiting = Arc::new(Mutex::new(waiting));
        let mut pool =
            Self { network, input, size, jobs: Some(jobs), threads: Vec::with_capacity(size.sessions) };
        for (number, session) in sessions.into_iter().enumerate() {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new()
                .name(format!("infer-{number}"))
                .spawn(move || work(session, &waiting))
                .map_err(|_| Fault::Stopped { network })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }
}

fn work(mut session: Session, waiting: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a job: one idle worker listens, the others queue behind it.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { input, answer }) = job else { return };
        // A caller that gave up has dropped its end; its answer has nowhere to go, which is as it should be.
        let _ = answer.send(session.run(&input));
    }
}

impl Inference for SessionPool {
    fn input(&self) -> &[Side] {
        &self.input
    }

    fn run(&self, input: Tensor) -> Result<Vec<Output>, Fault> {
        let stopped = Fault::Stopped { network: self.network };
        let jobs = self.jobs.as_ref().ok_or_else(|| stopped.clone())?;
        let (answer, answered) = sync_channel(1);
        jobs.try_send(Job { input, answer }).map_err(|error| match error {
            TrySendError::Full(_) => Fault::Busy { waiting: self.size.queue },
            TrySendError::Disconnected(_) => stopped.clone(),
        })?;
        answered.recv_timeout(self.size.wait).map_err(|error| match error {
            RecvTimeoutError::Timeout => Fault::Deadline { waited: self.size.wait },
            RecvTimeoutError::Disconnected => stopped,
        })?
    }
}

impl Drop for SessionPool {
    fn drop(&mut self) {
        // Closing the queue is what tells the threads to end.
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
