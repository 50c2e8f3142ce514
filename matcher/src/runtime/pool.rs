//! A fixed number of sessions, lent out one call at a time, with a bounded queue and a bounded wait.
use std::{
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Inference, Output, Side, Tensor, session::Session};
use crate::fault::{Fault, Network};

/// How many sessions, how many may queue for them, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Inferences at a time, each on its caller's thread. 1 to 1,024.
    pub sessions: usize,
    /// Inferences that may wait for a session. At most 65,536.
    pub queue: usize,
    /// Longest wait for a session. At most an hour.
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

/// One network in a fixed number of sessions. Each call runs on the thread that makes it: a tensor is used where it was
/// made, and nobody waits for a thread to wake up.
pub struct SessionPool {
    network: Network,
    input: Vec<Side>,
    size: PoolSize,
    idle: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Default)]
struct Idle {
    sessions: Vec<Session>,
    waiting: usize,
}

/// A session in use. Dropping it gives it back.
struct Lease<'a> {
    pool: &'a SessionPool,
    session: Option<Session>,
}

impl SessionPool {
    /// Loads ONNX Runtime from `library` (once per process) and the network into `size.sessions` sessions.
    ///
    /// # Errors
    /// [`Fault::Runtime`] and [`Fault::RuntimeDiffers`] about the library, [`Fault::Model`] about the network,
    /// [`Fault::Options`] when a size is out of range.
    pub fn start(library: &Path, network: Network, onnx: &[u8], size: PoolSize) -> Result<Self, Fault> {
        size.check()?;
        let sessions: Vec<_> =
            (0..size.sessions).map(|_| Session::load(library, network, onnx)).collect::<Result<_, _>>()?;
        let input = sessions.first().map(|session| session.input().to_vec()).unwrap_or_default();
        let idle = Mutex::new(Idle { sessions, waiting: 0 });
        Ok(Self { network, input, size, idle, returned: Condvar::new() })
    }

    fn lease(&self) -> Result<Lease<'_>, Fault> {
        let mut idle = self.idle();
        let deadline = Instant::now() + self.size.wait;
        loop {
            if let Some(session) = idle.sessions.pop() {
                return Ok(Lease { pool: self, session: Some(session) });
            }
            if idle.waiting >= self.size.queue {
                return Err(Fault::Busy { waiting: self.size.queue });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Deadline { waited: self.size.wait });
            }
            idle.waiting += 1;
            idle = self.returned.wait_timeout(idle, left).unwrap_or_else(PoisonError::into_inner).0;
            idle.waiting -= 1;
        }
    }

    /// Nothing panics while it is held.
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool.idle().sessions.push(session);
            self.pool.returned.notify_one();
        }
    }
}

impl Inference for SessionPool {
    fn input(&self) -> &[Side] {
        &self.input
    }

    fn run(&self, input: &Tensor) -> Result<Vec<Output>, Fault> {
        let mut lease = self.lease()?;
        match &mut lease.session {
            Some(session) => session.run(input),
            // A lease holds its session until it is dropped.
            None => Err(Fault::Inference { network: self.network, reason: "its session is gone".to_owned() }),
        }
    }
}
