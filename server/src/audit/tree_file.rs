//! Every node of the Merkle tree in a flat file, so that a proof costs a few reads instead of the whole log.
//!
//! Nodes stand in the order in which they become complete: each leaf, then the parents it completes. After `n` leaves
//! these are `2n - popcount(n)` nodes, so the place of any node can be computed. The file is a cache and no evidence: it is
//! brought up to date from the log when a proof is asked for, every proof made from it is checked before it is used, and a
//! file that gives a wrong one is made anew.

use super::AuditError;
use super::merkle::parent;
use super::proof::{self, Consistency, Inclusion};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

/// Name of the file in the audit folder.
pub(super) const NAME: &str = "tree";
const HASH: u64 = 32;
/// Leaves fetched at a time.
pub(super) const PIECE: usize = 4096;

/// Gives leaf hashes from a position on, at most [`PIECE`] of them.
pub(super) type Leaves<'a> = &'a dyn Fn(u64) -> Result<Vec<[u8; 32]>, AuditError>;

/// Nodes after `leaves` leaves.
fn nodes(leaves: u64) -> u64 {
    2 * leaves - u64::from(leaves.count_ones())
}

/// The file, and how far it reaches.
pub(super) struct TreeFile {
    file: File,
    leaves: u64,
    /// Roots of the perfect subtrees at the right edge, largest first.
    peaks: Vec<[u8; 32]>,
}

impl TreeFile {
    /// Takes over a file. What does not look like one is emptied.
    pub fn over(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut tree = Self { file, leaves: 0, peaks: Vec::new() };
        if tree.resume(length).is_err() {
            tree.empty()?;
        }
        Ok(tree)
    }

    fn resume(&mut self, length: u64) -> io::Result<()> {
        // The most leaves whose nodes are all there.
        let (mut least, mut most) = (0, length / HASH + 1);
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            if nodes(middle) * HASH <= length { least = middle } else { most = middle }
        }
        self.leaves = least;
        self.file.set_len(nodes(least) * HASH)?;
        let mut from = 0;
        for level in (0..u64::BITS).rev().filter(|level| least >> level & 1 == 1) {
            let peak = self.node(level, from >> level)?;
            self.peaks.push(peak);
            from += 1 << level;
        }
        Ok(())
    }

    fn empty(&mut self) -> io::Result<()> {
        self.leaves = 0;
        self.peaks.clear();
        self.file.set_len(0)
    }

    /// Adds what the log has beyond the file, up to `size` leaves.
    fn catch_up(&mut self, size: u64, leaves: Leaves<'_>) -> Result<(), AuditError> {
        while self.leaves < size {
            let piece = leaves(self.leaves)?;
            let missing = usize::try_from(size - self.leaves).unwrap_or(usize::MAX);
            if piece.is_empty() {
                return Err(AuditError::Unsound("entries are missing at its end".into()));
            }
            self.push(&piece[..piece.len().min(missing)]).map_err(unwritable)?;
        }
        Ok(())
    }

    fn push(&mut self, leaves: &[[u8; 32]]) -> io::Result<()> {
        let (count, peaks) = (self.leaves, self.peaks.clone());
        let mut bytes = BufWriter::new(Vec::with_capacity(leaves.len() * 64));
        for leaf in leaves {
            let mut node = *leaf;
            bytes.write_all(&node)?;
            for _ in 0..self.leaves.trailing_ones() {
                if let Some(left) = self.peaks.pop() {
                    node = parent(&left, &node);
                    bytes.write_all(&node)?;
                }
            }
            self.peaks.push(node);
            self.leaves += 1;
        }
        let written = bytes.into_inner().map_err(io::IntoInnerError::into_error);
        let result = written.and_then(|bytes| self.file.write_all_at(&bytes, nodes(count) * HASH));
        if result.is_err() {
            (self.leaves, self.peaks) = (count, peaks);
        }
        result
    }

    /// Node `index` of a level; level 0 are the leaves.
    fn node(&self, level: u32, index: u64) -> io::Result<[u8; 32]> {
        // Its last leaf is the one that completes it, followed by one parent per level.
        let last = ((index + 1) << level) - 1;
        let mut hash = [0; 32];
        self.file.read_exact_at(&mut hash, (nodes(last) + u64::from(level)) * HASH)?;
        Ok(hash)
    }

    /// Root of the leaves from `from` up to, not including, `to`; `from` is a multiple of every subtree's size in it.
    fn root(&self, from: u64, to: u64) -> io::Result<[u8; 32]> {
        let count = to - from;
        if count == 0 {
            return Ok(Sha256::digest([]).into());
        }
        if count.is_power_of_two() {
            return self.node(count.trailing_zeros(), from / count);
        }
        let split = from + largest_below(count);
        Ok(parent(&self.root(from, split)?, &self.root(split, to)?))
    }

    /// `PATH(index, D[from:to])` of RFC 6962.
    fn path(&self, index: u64, from: u64, to: u64, out: &mut Vec<[u8; 32]>) -> io::Result<()> {
        if to - from == 1 {
            return Ok(());
        }
        let split = from + largest_below(to - from);
        if index < split {
            self.path(index, from, split, out)?;
            out.push(self.root(split, to)?);
        } else {
            self.path(index, split, to, out)?;
            out.push(self.root(from, split)?);
        }
        Ok(())
    }

    /// `SUBPROOF(first, D[from:to], whole)` of RFC 6962; `first` counts from the beginning of the log.
    fn subproof(
        &self,
        first: u64,
        (from, to): (u64, u64),
        whole: bool,
        out: &mut Vec<[u8; 32]>,
    ) -> io::Result<()> {
        if first == to {
            if !whole {
                out.push(self.root(from, to)?);
            }
            return Ok(());
        }
        let split = from + largest_below(to - from);
        if first <= split {
            self.subproof(first, (from, split), whole, out)?;
            out.push(self.root(split, to)?);
        } else {
            self.subproof(first, (split, to), false, out)?;
            out.push(self.root(from, split)?);
        }
        Ok(())
    }

    /// A checked proof that entry `index` is in the tree of `size`, whose root is `root` when that is known.
    pub fn inclusion(
        &mut self,
        index: u64,
        size: u64,
        root: [u8; 32],
        leaves: Leaves<'_>,
    ) -> Result<Inclusion, AuditError> {
        self.checked(size, leaves, |tree| {
            let mut path = Vec::new();
            tree.path(index, 0, size, &mut path)?;
            let made = Inclusion { index, size, leaf: tree.node(0, index)?, root, path };
            Ok(proof::inclusion_holds(&made).then_some(made))
        })
    }

    /// A checked proof that the tree of `second` entries extends that of `first`.
    pub fn consistency(
        &mut self,
        [first, second]: [u64; 2],
        roots: [[u8; 32]; 2],
        leaves: Leaves<'_>,
    ) -> Result<Consistency, AuditError> {
        let [first_root, second_root] = roots;
        self.checked(second, leaves, |tree| {
            let mut path = Vec::new();
            tree.subproof(first, (0, second), true, &mut path)?;
            let made = Consistency { first, second, first_root, second_root, path };
            Ok(proof::consistency_holds(&made).then_some(made))
        })
    }

    /// Makes a proof; when it does not hold, once more from a file made anew.
    fn checked<P>(
        &mut self,
        size: u64,
        leaves: Leaves<'_>,
        make: impl Fn(&Self) -> io::Result<Option<P>>,
    ) -> Result<P, AuditError> {
        for attempt in 0..2 {
            self.catch_up(size, leaves)?;
            match make(self) {
                Ok(Some(proof)) => return Ok(proof),
                Ok(None) | Err(_) if attempt == 0 => {
                    tracing::warn!("the cache of the audit log's tree was damaged and is made anew");
                    self.empty().map_err(unwritable)?;
                }
                Ok(None) => break,
                Err(error) => return Err(unwritable(error)),
            }
        }
        Err(AuditError::Unsound("its entries are not those of the signed checkpoint".into()))
    }
}

/// The largest power of two smaller than `count`, which is at least 2.
fn largest_below(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn unwritable(error: io::Error) -> AuditError {
    AuditError::Unsound(format!("the file `{NAME}`, a cache that may be removed, cannot be used: {error}"))
}
