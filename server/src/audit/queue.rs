//! Where appends wait for the writer: bounded in number and in bytes, and closed for good after an error.

use super::AuditError;
use super::prepare::Prepared;
use crate::audit::Receipt;
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One call of `append` that waits for its receipts.
pub(super) struct Job {
    pub entries: Vec<Prepared>,
    pub reply: SyncSender<Result<Vec<Receipt>, AuditError>>,
}

impl Job {
    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }

    /// Answers the caller. It may have given up waiting; then nobody misses the answer.
    pub fn answer(self, result: Result<Vec<Receipt>, AuditError>) {
        let _ = self.reply.try_send(result);
    }
}

/// Whether appends are accepted.
enum Door {
    Open,
    /// What is waiting is still written.
    Closing,
    /// Nothing is written any more.
    Failed(String),
}

struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    door: Door,
}

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    most_jobs: usize,
    most_bytes: usize,
}

impl Queue {
    pub fn new(most_jobs: usize, most_bytes: usize) -> Self {
        let waiting = Waiting { jobs: VecDeque::new(), bytes: 0, door: Door::Open };
        Self { waiting: Mutex::new(waiting), arrived: Condvar::new(), most_jobs, most_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No panic can leave the state half-changed: every section below changes it in one step.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, or refuses at once. A job larger than the whole queue is accepted when nothing else waits, since it
    /// would otherwise never be.
    pub fn push(&self, job: Job) -> Result<(), AuditError> {
        let bytes = job.bytes();
        let mut waiting = self.lock();
        match &waiting.door {
            Door::Failed(reason) => return Err(AuditError::Failed { reason: reason.clone() }),
            Door::Closing => return Err(AuditError::Failed { reason: "it is closing".into() }),
            Door::Open => {}
        }
        let too_many = waiting.jobs.len() >= self.most_jobs;
        let too_long = !waiting.jobs.is_empty() && waiting.bytes.saturating_add(bytes) > self.most_bytes;
        if too_many || too_long {
            return Err(AuditError::Busy);
        }
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        waiting.jobs.push_back(job);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Jobs that wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Waits for work and takes all of it up to about `most_entries` entries and `most_bytes`; at least one job.
    /// `None`: closed, and nothing is waiting.
    pub fn take(&self, most_entries: usize, most_bytes: usize) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() {
            match waiting.door {
                Door::Open => waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Door::Closing | Door::Failed(_) => return None,
            }
        }
        let (mut taken, mut entries, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = waiting.jobs.front() {
            let (next_entries, next_bytes) = (next.entries.len(), next.bytes());
            if !taken.is_empty() && (entries + next_entries > most_entries || bytes + next_bytes > most_bytes)
            {
                break;
            }
            entries += next_entries;
            bytes += next_bytes;
            waiting.bytes = waiting.bytes.saturating_sub(next_bytes);
            taken.extend(waiting.jobs.pop_front());
        }
        Some(taken)
    }

    /// Refuses new jobs; those waiting are still written.
    pub fn close(&self) {
        let mut waiting = self.lock();
        if matches!(waiting.door, Door::Open) {
            waiting.door = Door::Closing;
        }
        drop(waiting);
        self.arrived.notify_all();
    }

    /// Refuses everything from now on, what is waiting included. The first reason stays.
    pub fn fail(&self, reason: &str) {
        let mut waiting = self.lock();
        if !matches!(waiting.door, Door::Failed(_)) {
            waiting.door = Door::Failed(reason.to_owned());
        }
        let jobs = std::mem::take(&mut waiting.jobs);
        waiting.bytes = 0;
        drop(waiting);
        for job in jobs {
            job.answer(Err(AuditError::Failed { reason: reason.to_owned() }));
        }
        self.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::audit::prepare::prepare;
    use crate::audit::{Entry, Operation, Outcome, Phase};
    use std::sync::mpsc::{Receiver, sync_channel};

    fn job() -> (Job, Receiver<Result<Vec<Receipt>, AuditError>>) {
        let mut entry =
            Entry::new(jiff::Timestamp::UNIX_EPOCH, "Test.Test", Operation::Consultation, Phase::Single);
        entry.outcome = Some(Outcome::Answered);
        let (reply, answer) = sync_channel(1);
        (Job { entries: vec![prepare(entry.into()).unwrap()], reply }, answer)
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let queue = Queue::new(2, usize::MAX);
        queue.push(job().0).unwrap();
        queue.push(job().0).unwrap();
        assert!(matches!(queue.push(job().0), Err(AuditError::Busy)));
        assert_eq!(queue.take(1, usize::MAX).unwrap().len(), 1);
        queue.push(job().0).unwrap();
        assert_eq!(queue.take(10, usize::MAX).unwrap().len(), 2);
    }

    #[test]
    fn bytes_are_bounded_too_but_one_job_always_fits() {
        let queue = Queue::new(10, 1);
        queue.push(job().0).unwrap();
        assert!(matches!(queue.push(job().0), Err(AuditError::Busy)));
        assert_eq!(queue.take(10, 1).unwrap().len(), 1);
        queue.push(job().0).unwrap();
    }

    #[test]
    fn after_a_failure_everything_is_refused() {
        let queue = Queue::new(10, usize::MAX);
        let (first, answer) = job();
        queue.push(first).unwrap();
        queue.fail("disk full");
        queue.close();
        assert!(matches!(answer.recv().unwrap(), Err(AuditError::Failed { .. })));
        let refused = queue.push(job().0).unwrap_err();
        assert!(refused.to_string().contains("disk full"), "{refused}");
        assert!(queue.take(10, usize::MAX).is_none());
    }

    #[test]
    fn closing_still_hands_out_what_waits() {
        let queue = Queue::new(10, usize::MAX);
        queue.push(job().0).unwrap();
        queue.close();
        assert!(queue.push(job().0).is_err());
        assert_eq!(queue.take(10, usize::MAX).unwrap().len(), 1);
        assert!(queue.take(10, usize::MAX).is_none());
    }
}
