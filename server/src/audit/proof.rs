//! Proofs about the tree, and whether they hold: the two algorithms of RFC 9162 section 2.1, which need nothing but the hashes.

use sha2::{Digest, Sha256};

/// That an entry is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Position of the entry.
    pub index: u64,
    /// Entries in the tree.
    pub size: u64,
    /// Leaf hash of the entry.
    pub leaf: [u8; 32],
    /// Root of the tree, as signed.
    pub root: [u8; 32],
    /// Sibling hashes from the leaf up.
    pub path: Vec<[u8; 32]>,
}

/// That a later tree extends an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// Entries in the earlier tree.
    pub first: u64,
    /// Entries in the later tree.
    pub second: u64,
    /// Root of the earlier tree, as signed.
    pub first_root: [u8; 32],
    /// Root of the later tree, as signed.
    pub second_root: [u8; 32],
    /// Hashes in the order of RFC 6962.
    pub path: Vec<[u8; 32]>,
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::digest([&[1], left.as_slice(), right].concat()).into()
}

/// Whether the path leads from the leaf to the root (RFC 9162 section 2.1.3.2).
pub fn inclusion_holds(proof: &Inclusion) -> bool {
    if proof.index >= proof.size {
        return false;
    }
    let (mut at, mut last, mut hash) = (proof.index, proof.size - 1, proof.leaf);
    for sibling in &proof.path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            // A right edge that ends before a level is not a node of that level.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == proof.root
}

/// Whether the path leads from the earlier root to the later one (RFC 9162 section 2.1.4.2).
pub fn consistency_holds(proof: &Consistency) -> bool {
    let Consistency { first, second, first_root, second_root, path } = proof;
    if *first == 0 || first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    // A complete earlier tree is itself the first node of the path, and is left out of it.
    let mut path = path.as_slice();
    let start = if first.is_power_of_two() {
        *first_root
    } else {
        let Some((start, rest)) = path.split_first() else { return false };
        path = rest;
        *start
    };
    let (mut at, mut last) = (first - 1, second - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut earlier, mut later) = (start, start);
    for hash in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            earlier = node(hash, &earlier);
            later = node(hash, &later);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            later = node(&later, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && earlier == *first_root && later == *second_root
}
