//! The Merkle tree hash of RFC 6962, computed another way than the writer does: equal heights merge.

use sha2::{Digest, Sha256};

/// The tree hash after every leaf, for comparing with many checkpoints in one pass.
#[derive(Default)]
pub(in crate::audit) struct Growing {
    /// Height and root of the perfect subtrees, largest first.
    subtrees: Vec<(u32, [u8; 32])>,
}

impl Growing {
    pub fn push(&mut self, leaf: [u8; 32]) {
        self.subtrees.push((0, leaf));
        while let [.., (left_height, left), (right_height, right)] = *self.subtrees
            && left_height == right_height
        {
            self.subtrees.truncate(self.subtrees.len() - 2);
            self.subtrees.push((left_height + 1, node(&left, &right)));
        }
    }

    /// The tree hash of the leaves so far.
    pub fn root(&self) -> [u8; 32] {
        let joined =
            self.subtrees.iter().map(|(_, root)| *root).rev().reduce(|right, left| node(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The roots of the perfect subtrees, as the log keeps them.
    pub fn frontier(&self) -> Vec<u8> {
        self.subtrees.iter().flat_map(|(_, root)| *root).collect()
    }
}

/// The hash of a leaf.
pub(in crate::audit) fn leaf(body: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0], body].concat()).into()
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::digest([&[1], left.as_slice(), right].concat()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_writers_tree() {
        let mut verifier = Growing::default();
        let mut writer = crate::audit::merkle::Frontier::default();
        for n in 0..200u32 {
            assert_eq!(verifier.root(), writer.root());
            assert_eq!(verifier.frontier(), writer.to_bytes());
            let hash = leaf(&n.to_be_bytes());
            verifier.push(hash);
            writer.push(hash);
        }
    }
}
