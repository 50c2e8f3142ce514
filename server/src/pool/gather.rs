//! Searches of one pool that arrive together share one pass over its index.
//!
//! A search reads every template of the pool, so what it costs is reading memory; a probe more in the same pass costs
//! little. While one pass runs, further searches queue; when it ends, the first of them takes all that wait into the
//! next. A search that comes alone starts at once. When the last pass held several, the next one waits a moment for as
//! many to arrive: callers that come in step would otherwise take turns.
//!
//! No thread of its own: the caller whose turn it is does the work for all. Each caller waits no longer than its own
//! deadline; lists are the same as of searches one by one.
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use likeness_matcher::{
    embed::Embedding,
    index::{Hit, IndexFault, IndexRead},
};

/// How far searches are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gathering {
    /// Most probes of one pass; 1 gathers nothing.
    pub probes: usize,
    /// Longest wait for company. Nobody waits who is alone.
    pub wait: Duration,
}

type Found = Result<Vec<Hit>, IndexFault>;

/// The queue of one pool.
#[derive(Debug)]
pub(super) struct Gather {
    gathering: Gathering,
    queue: Mutex<Queue>,
    /// Told when somebody joins the queue.
    joined: Condvar,
}

/// INVARIANT: while `passing`, exactly one caller leads: it runs a pass, or its turn says [`Turn::Lead`].
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Asked>>,
    passing: bool,
    /// Probes of the last pass: as many are expected again.
    expected: usize,
}

/// A search in the queue.
#[derive(Debug)]
struct Asked {
    probe: Embedding,
    limit: usize,
    deadline: Instant,
    turn: Mutex<Turn>,
    told: Condvar,
}

#[derive(Debug)]
enum Turn {
    Waiting,
    /// Run the next pass.
    Lead,
    Done(Found),
}

impl Gather {
    pub(super) fn new(gathering: Gathering) -> Self {
        Self { gathering, queue: Mutex::default(), joined: Condvar::new() }
    }

    /// The `limit` subjects most like the probe, in `index`, which must be the same in every call.
    pub(super) fn search(
        &self,
        index: &dyn IndexRead,
        probe: &Embedding,
        limit: usize,
        deadline: Instant,
    ) -> Found {
        if self.gathering.probes <= 1 {
            return alone(index, probe, limit, deadline);
        }
        let turn = Mutex::new(Turn::Waiting);
        let asked = Arc::new(Asked { probe: probe.clone(), limit, deadline, turn, told: Condvar::new() });
        let leads = {
            let mut queue = self.queue();
            queue.waiting.push_back(asked.clone());
            self.joined.notify_all();
            !std::mem::replace(&mut queue.passing, true)
        };
        if leads {
            self.lead(index);
        }
        loop {
            match asked.wait() {
                Some(Turn::Done(found)) => return found,
                Some(Turn::Lead) => self.lead(index),
                Some(Turn::Waiting) | None => {
                    if let Some(found) = self.leave(&asked) {
                        return found;
                    }
                }
            }
        }
    }

    /// Runs one pass for all that wait, and passes the lead on.
    fn lead(&self, index: &dyn IndexRead) {
        // Passes the lead on however this ends: a pool must not be stuck because one search panicked.
        let _passed_on = PassedOn(self);
        let batch = self.gather();
        let limit = batch.iter().map(|asked| asked.limit).max().unwrap_or(0);
        // Who has less time than the others leaves by itself.
        let deadline = batch.iter().map(|asked| asked.deadline).max();
        let probes: Vec<&Embedding> = batch.iter().map(|asked| &asked.probe).collect();
        match index.search_batch(&probes, limit, deadline) {
            Ok(lists) => {
                for (asked, mut list) in batch.iter().zip(lists) {
                    list.truncate(asked.limit);
                    asked.tell(Turn::Done(Ok(list)));
                }
            }
            // What is the matter with one probe is no reason to refuse the others.
            Err(_) if batch.len() > 1 => {
                for asked in &batch {
                    asked.tell(Turn::Done(alone(index, &asked.probe, asked.limit, asked.deadline)));
                }
            }
            Err(fault) => batch.iter().for_each(|asked| asked.tell(Turn::Done(Err(fault.clone())))),
        }
    }

    /// The probes of the next pass, taken from the queue.
    fn gather(&self) -> Vec<Arc<Asked>> {
        let mut queue = self.queue();
        let until = Instant::now() + self.gathering.wait;
        let expected = queue.expected.min(self.gathering.probes);
        while queue.waiting.len() < expected {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.joined.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let taken = queue.waiting.len().min(self.gathering.probes);
        queue.expected = taken;
        queue.waiting.drain(..taken).collect()
    }

    /// Out of time: leaves the queue, unless the answer came in the last moment.
    fn leave(&self, asked: &Arc<Asked>) -> Option<Found> {
        let mut queue = self.queue();
        let turn = std::mem::replace(&mut *asked.turn(), Turn::Waiting);
        queue.waiting.retain(|other| !Arc::ptr_eq(other, asked));
        match turn {
            Turn::Done(found) => return Some(found),
            Turn::Lead => pass_on(&mut queue),
            Turn::Waiting => {}
        }
        Some(Err(IndexFault::DeadlineExceeded))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Each change of the queue is one statement that does not panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// What it is told, or nothing when its time is up.
    fn wait(&self) -> Option<Turn> {
        let mut turn = self.turn();
        loop {
            if !matches!(*turn, Turn::Waiting) {
                return Some(std::mem::replace(&mut *turn, Turn::Waiting));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            turn = self.told.wait_timeout(turn, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tell(&self, what: Turn) {
        *self.turn() = what;
        self.told.notify_all();
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the lead to the first in the queue, or ends it.
fn pass_on(queue: &mut Queue) {
    match queue.waiting.front() {
        Some(next) => next.tell(Turn::Lead),
        None => queue.passing = false,
    }
}

struct PassedOn<'a>(&'a Gather);

impl Drop for PassedOn<'_> {
    fn drop(&mut self) {
        pass_on(&mut self.0.queue());
    }
}

fn alone(index: &dyn IndexRead, probe: &Embedding, limit: usize, deadline: Instant) -> Found {
    Ok(index.search_batch(&[probe], limit, Some(deadline))?.pop().unwrap_or_default())
}

#[cfg(test)]
mod tests;
