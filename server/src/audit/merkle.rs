//! The Merkle tree of RFC 6962, grown at its right edge.
//!
//! Only the roots of the perfect subtrees are kept, one per set bit of the size, largest first: enough to append and to
//! know the root, at most 64 hashes for any log.

use sha2::{Digest, Sha256};

/// The right edge of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frontier {
    size: u64,
    peaks: Vec<[u8; 32]>,
}

impl Frontier {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: [u8; 32]) {
        let mut node = leaf;
        // Every trailing one bit of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The Merkle tree hash; of nothing, SHA-256 of the empty string.
    pub fn root(&self) -> [u8; 32] {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => peaks.fold(smallest, |right, left| parent(&left, &right)),
        }
    }

    /// The peaks, 32 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Reads [`Frontier::to_bytes`]; `None` when the number of peaks does not fit the size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && peaks.len() == size.count_ones() as usize;
        fits.then(|| Self { size, peaks: peaks.to_vec() })
    }
}

/// Hash of an inner node.
pub(super) fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::audit::canonical::leaf_hash;

    /// Section 2.1 of RFC 6962, word for word.
    fn definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                parent(&definition(&leaves[..split]), &definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        let leaves: Vec<_> = (0..300u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        for size in 0..leaves.len() {
            assert_eq!(frontier.root(), definition(&leaves[..size]), "size {size}");
            let restored = Frontier::from_bytes(frontier.size(), &frontier.to_bytes()).unwrap();
            assert_eq!(restored, frontier);
            frontier.push(leaves[size]);
        }
        assert!(Frontier::from_bytes(3, &[0; 32]).is_none());
    }

    #[test]
    fn agrees_with_published_vectors() {
        // Certificate Transparency's reference test vectors (the eight leaves of its Merkle tree tests).
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let mut frontier = Frontier::default();
        for leaf in leaves {
            frontier.push(leaf_hash(&hex::decode(leaf).unwrap()));
        }
        let root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(hex::encode(frontier.root()), root);
    }
}
