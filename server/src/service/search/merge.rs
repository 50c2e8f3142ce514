//! One ranked list from the lists of several pools.
use std::{cmp::Ordering, sync::Arc};

use crate::pool::{OpenedImage, Protection, SubjectRecord};

/// A subject's best image in one pool.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) image: OpenedImage,
    pub(super) subject: SubjectRecord,
    pub(super) similarity: f64,
    pub(super) protection: Option<Arc<Protection>>,
}

/// The `limit` best of all lists, with the position of the list each comes from. Similarity decides, larger first; equal
/// similarities are ordered by pool name and image id, so that the same pools always give the same list.
pub(super) fn merge(pools: &[&str], lists: Vec<Vec<Found>>, limit: usize) -> Vec<(usize, Found)> {
    let mut all: Vec<(usize, Found)> = lists
        .into_iter()
        .enumerate()
        .flat_map(|(at, list)| list.into_iter().map(move |found| (at, found)))
        .collect();
    all.sort_by(|(left_pool, left), (right_pool, right)| {
        // Similarities are finite: the index refuses anything else.
        right
            .similarity
            .partial_cmp(&left.similarity)
            .unwrap_or(Ordering::Equal)
            .then_with(|| pools.get(*left_pool).cmp(&pools.get(*right_pool)))
            .then_with(|| left.image.id.cmp(&right.image.id))
    });
    all.truncate(limit);
    all
}
