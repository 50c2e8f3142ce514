//! Proofs, judged by an implementation of RFC 6962 that is not ours.

use super::*;
use crate::audit::canonical::leaf_hash;
use crate::audit::merkle::Frontier;
use crate::audit::tree_file::TreeFile;
use crate::seeded::Random;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proof::{consistency_holds, inclusion_holds};
use sha2::Sha256;

type Hashes = Vec<[u8; 32]>;

fn their_root(root: [u8; 32], size: u64) -> RootHash<Sha256> {
    RootHash::new(root.into(), size)
}

/// The other implementation's verdict on an inclusion, and ours; they must agree.
fn included(body: &[u8], proof: &Inclusion) -> bool {
    let path = InclusionProof::<Sha256>::from_digests(
        proof.path.iter().map(|hash| (*hash).into()).collect::<Vec<_>>().iter(),
    );
    let theirs = their_root(proof.root, proof.size).verify_inclusion(&body, proof.index, &path).is_ok();
    assert_eq!(theirs, inclusion_holds(proof), "{proof:?}");
    theirs
}

fn consistent(proof: &Consistency) -> bool {
    let path = ConsistencyProof::<Sha256>::from_digests(
        proof.path.iter().map(|hash| (*hash).into()).collect::<Vec<_>>().iter(),
    );
    let (first, second) =
        (their_root(proof.first_root, proof.first), their_root(proof.second_root, proof.second));
    let theirs = second.verify_consistency(&first, &path).is_ok();
    assert_eq!(theirs, consistency_holds(proof), "{proof:?}");
    theirs
}

/// Trees of `count` leaves and the roots at every size.
fn leaves(count: u64) -> (Vec<Vec<u8>>, Hashes, Hashes) {
    let bodies: Vec<Vec<u8>> = (0..count).map(|n| n.to_be_bytes().to_vec()).collect();
    let hashes: Vec<_> = bodies.iter().map(|body| leaf_hash(body)).collect();
    let mut frontier = Frontier::default();
    let mut roots = vec![frontier.root()];
    for hash in &hashes {
        frontier.push(*hash);
        roots.push(frontier.root());
    }
    (bodies, hashes, roots)
}

#[test]
fn every_proof_of_every_small_tree_verifies_with_another_implementation() {
    const COUNT: u64 = 70;
    let (bodies, hashes, roots) = leaves(COUNT);
    let fetch = |from: u64| Ok(hashes[from as usize..].iter().take(7).copied().collect());
    let mut tree = TreeFile::over(tempfile::tempfile().unwrap()).unwrap();
    let (mut inclusions, mut consistencies) = (0, 0);
    for size in 1..=COUNT {
        let root = roots[size as usize];
        for index in 0..size {
            let proof = tree.inclusion(index, size, root, &fetch).unwrap();
            assert!(included(&bodies[index as usize], &proof));
            assert!(!included(
                b"another entry",
                &Inclusion { leaf: leaf_hash(b"another entry"), ..proof.clone() }
            ));
            inclusions += 1;
        }
        for first in 1..=size {
            let proof = tree.consistency([first, size], [roots[first as usize], root], &fetch).unwrap();
            // The other implementation has no proof between equal trees.
            assert!(first == size || consistent(&proof));
            assert!(consistency_holds(&proof));
            consistencies += 1;
        }
    }
    println!("report: {inclusions} inclusion and {consistencies} consistency proofs verified with ct-merkle");
}

#[test]
fn a_changed_proof_fails_with_both_implementations() {
    const COUNT: u64 = 60;
    let (bodies, hashes, roots) = leaves(COUNT);
    let fetch = |from: u64| Ok(hashes[from as usize..].to_vec());
    let mut tree = TreeFile::over(tempfile::tempfile().unwrap()).unwrap();
    let mut random = Random::seeded();
    for _ in 0..400 {
        let size = 2 + random.below(COUNT - 1);
        let (index, first) = (random.below(size), 1 + random.below(size - 1));
        let (root, first_root) = (roots[size as usize], roots[first as usize]);
        let mut proof = tree.inclusion(index, size, root, &fetch).unwrap();
        let at = random.below(proof.path.len() as u64) as usize;
        match random.below(4) {
            0 => proof.path[at][random.below(32) as usize] ^= 1 << random.below(8),
            1 => _ = proof.path.remove(at),
            2 => proof.path.push([7; 32]),
            _ => proof.index = (proof.index + 1 + random.below(size - 1)) % size,
        }
        assert!(!included(&bodies[index as usize], &proof));
        let mut proof = tree.consistency([first, size], [first_root, root], &fetch).unwrap();
        let at = random.below(proof.path.len() as u64) as usize;
        match random.below(3) {
            0 => proof.path[at][random.below(32) as usize] ^= 1 << random.below(8),
            1 => _ = proof.path.remove(at),
            _ => proof.first_root[0] ^= 1,
        }
        assert!(!consistency_holds(&proof));
    }
}

#[test]
fn a_real_log_proves_its_entries_also_from_a_damaged_cache_and_read_only() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut receipts = Vec::new();
    for n in 0..30 {
        receipts.extend(log.append(submissions(start(), n * 10..n * 10 + 1 + n % 9)).unwrap());
    }
    let head = log.head().unwrap();
    let check = |log: &dyn AuditRead| {
        for receipt in &receipts {
            let stored = log.entry(receipt.event_id()).unwrap().unwrap();
            for size in [receipt.tree_size(), head.size] {
                let proof = log.inclusion(stored.index, size).unwrap();
                assert_eq!(&proof.leaf, receipt.entry_hash());
                assert!(included(&stored.body, &proof));
                let note = log.checkpoint(size).unwrap().unwrap();
                let signed = Checkpoint::open(&note, &fixture.keys().audit_key()).unwrap();
                assert_eq!((signed.size, signed.root), (proof.size, proof.root));
            }
            let proof = log.consistency(receipt.tree_size(), head.size).unwrap();
            assert!(receipt.tree_size() == head.size || consistent(&proof));
        }
        assert!(matches!(log.inclusion(head.size, head.size), Err(AuditError::Invalid(_))));
        assert!(log.inclusion(0, head.size + 1).is_err());
        assert!(log.consistency(0, head.size).is_err());
        assert!(log.checkpoint(head.size + 1).unwrap().is_none());
    };
    check(&log);
    let cache = fixture.folder().join("tree");
    let whole = std::fs::read(&cache).unwrap();
    assert_eq!(whole.len() as u64, 32 * (2 * head.size - u64::from(head.size.count_ones())));
    let mut random = Random::seeded();
    // Changed under the running log, cut short, filled with something else, gone.
    for at in (0..20).map(|_| random.below(whole.len() as u64) as usize) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&cache, &bytes).unwrap();
        check(&log);
    }
    drop(log);
    for bytes in
        [Vec::new(), vec![9; 1000], whole[..whole.len() - 33].to_vec(), [whole.clone(), vec![1; 40]].concat()]
    {
        std::fs::write(&cache, bytes).unwrap();
        check(&fixture.open());
    }
    std::fs::remove_file(&cache).unwrap();
    let keys = fixture.keys();
    check(&AuditReader::open(&fixture.folder(), keys.audit_key(), Some(keys.clone())).unwrap());
    check(&fixture.open());
    fixture.sound();
}

#[test]
fn a_log_that_was_rewritten_proves_nothing() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let receipts = log.append(submissions(start(), 0..20)).unwrap();
    let database = rusqlite::Connection::open(fixture.folder().join("audit.sqlite")).unwrap();
    database
        .execute_batch("DROP TRIGGER entry_stays; UPDATE entry SET hash = zeroblob(32) WHERE idx = 4;")
        .unwrap();
    for index in [4, 5, 17] {
        let refused = log.inclusion(index, receipts[0].tree_size()).unwrap_err();
        assert!(matches!(refused, AuditError::Unsound(_)), "{refused}");
    }
}

#[test]
fn a_span_of_time_is_found_without_reading_entries() {
    let fixture = Fixture::new();
    let log = fixture.open();
    for n in 0..10 {
        log.append(submissions(fixture.clock.now(), n..n + 1)).unwrap();
        fixture.clock.advance(jiff::SignedDuration::from_hours(1));
    }
    let hour = |hours: i64| Some(start() + jiff::SignedDuration::from_hours(hours));
    assert_eq!(log.span(None, None).unwrap(), 0..10);
    assert_eq!(log.span(hour(3), hour(6)).unwrap(), 3..6);
    assert_eq!(log.span(hour(9), None).unwrap(), 9..10);
    assert_eq!(log.span(hour(10), None).unwrap(), 0..0);
}

#[test]
fn a_probe_is_recognised_by_its_digest_until_it_is_forgotten() {
    use sha2::Digest as _;
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut asked = entry(start(), 1);
    asked.probe = Some(Probe { source_type: Some("cctv".into()), ..Probe::default() });
    let content = Content { probe: Some(b"pixels".to_vec()), ..Content::default() };
    let event = log.append(vec![Submission { entry: asked, content }]).unwrap()[0].event_id();
    let recorded = log.entry(event).unwrap().unwrap().entry.probe.unwrap().digest.unwrap();
    let digest = |image: &[u8]| log.probe_digest(event, &Sha256::digest(image).into()).unwrap();
    assert_eq!(digest(b"pixels"), Some(recorded.clone()));
    assert_ne!(digest(b"others"), Some(recorded));
    fixture.clock.advance(jiff::SignedDuration::from_hours(1));
    log.purge_content(fixture.clock.now(), entry(fixture.clock.now(), 2)).unwrap();
    assert_eq!(digest(b"pixels"), None, "after its retention nothing can confirm which image it was");
}
