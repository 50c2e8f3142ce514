//! Who may work now: a bounded number at work, a bounded number waiting, for a bounded time.
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{fault::Fault, runtime::PoolSize};

/// Lets a fixed number of callers in at a time.
pub(super) struct Gate {
    places: usize,
    queue: usize,
    wait: Duration,
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Default)]
struct State {
    inside: usize,
    waiting: usize,
}

/// Being inside. Dropping it lets the next caller in.
pub(super) struct Turn<'a>(&'a Gate);

impl Gate {
    /// A gate with this many places inside and in the queue.
    pub(super) fn new(places: usize, queue: usize, wait: Duration) -> Result<Self, Fault> {
        PoolSize { sessions: places, queue, wait }.check()?;
        Ok(Self { places, queue, wait, state: Mutex::default(), left: Condvar::new() })
    }

    /// Waits for a place inside.
    ///
    /// # Errors
    /// [`Fault::Busy`] at once when the queue is full, [`Fault::Deadline`] when no place came free in time.
    pub(super) fn enter(&self) -> Result<Turn<'_>, Fault> {
        let mut state = self.lock();
        // Those who wait go first: a newcomer does not slip past them.
        if state.inside < self.places && state.waiting == 0 {
            state.inside += 1;
            return Ok(Turn(self));
        }
        if state.waiting >= self.queue {
            return Err(Fault::Busy { waiting: self.queue });
        }
        state.waiting += 1;
        let deadline = Instant::now() + self.wait;
        while state.inside >= self.places {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.waiting -= 1;
                // The place that came free for us, if any, must not be lost.
                self.left.notify_one();
                return Err(Fault::Deadline { waited: self.wait });
            }
            state = self.left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
        state.inside += 1;
        Ok(Turn(self))
    }

    /// The counters stay true through a panic elsewhere: nothing panics while they are changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
        self.0.left.notify_one();
    }
}
