//! Is a bundle what was signed? Uses nothing of the writer: hashes, tree and note are computed here anew.

use super::signed::{self, Signed};
use super::{CHECKPOINT, ENTRIES, LEAVES, stub_line};
use crate::audit::MetadataPurge;
use crate::audit::verify::{Expired, Finding, FindingKind, Growing, leaf};
use crate::ids::EventId;
use crate::keys::VerifierKey;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// What was checked, and what was found.
#[derive(Clone, Debug, Default)]
pub struct BundleReport {
    /// Entries in the bundle.
    pub entries: u64,
    /// Tree hash over them, as recomputed.
    pub root: [u8; 32],
    /// Signed heads they were compared with.
    pub checkpoints: u64,
    /// Entries that are past their retention: only their stubs are there.
    pub expired: u64,
    /// Intents without an outcome.
    pub open_intents: u64,
    /// What is wrong, the first bad entry first; empty when the bundle is what was signed.
    pub findings: Vec<Finding>,
}

impl BundleReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, entry: Option<usize>, kind: FindingKind, detail: impl Into<String>) {
        let entry = entry.map(|entry| entry as u64);
        self.findings.push(Finding { entry, kind, detail: detail.into() });
    }
}

/// Checks the bundle in `folder` against the public key, and against notes kept from receipts.
///
/// A file that is missing or cannot be read is a finding.
pub fn verify_bundle(folder: &Path, key: &VerifierKey, kept: &[String]) -> BundleReport {
    verify_bundle_under(folder, key, kept, None)
}

/// The same, held to a retention of entries of so many days: a purge under a shorter one is a finding.
pub fn verify_bundle_under(
    folder: &Path,
    key: &VerifierKey,
    kept: &[String],
    metadata_days: Option<u32>,
) -> BundleReport {
    let mut report = BundleReport::default();
    strangers(folder, &mut report);
    let mut read = |name: &str| match std::fs::read(folder.join(name)) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.add(None, FindingKind::Unreadable, format!("the file `{name}`: {error}"));
            Vec::new()
        }
    };
    let (note, entries, listed) = (read(CHECKPOINT), read(ENTRIES), read(LEAVES));
    if report.findings.iter().any(|finding| finding.kind == FindingKind::Unreadable) {
        return report;
    }
    let heads = heads(&note, kept, key, &mut report);
    let entries = lines(&entries, ENTRIES, &mut report);
    let listed: Vec<Option<[u8; 32]>> =
        lines(&listed, LEAVES, &mut report).into_iter().map(hash_in_hex).collect();
    // Of what is past its retention the hash is all there is: whether it may be gone is judged below.
    let stubs: Vec<Option<EventId>> = entries.iter().map(|body| stub(body)).collect();
    let computed: Vec<[u8; 32]> = entries
        .iter()
        .zip(&stubs)
        .enumerate()
        .map(|(at, (body, stub))| match stub {
            Some(_) => listed.get(at).copied().flatten().unwrap_or_default(),
            None => leaf(body),
        })
        .collect();
    report.entries = computed.len() as u64;
    let of_entries = Roots::of(computed.iter().copied(), &heads);
    // A line that is no hash counts as one that no entry has.
    let of_leaves = Roots::of(listed.iter().map(|line| line.unwrap_or_default()), &heads);
    report.root = of_entries.last;
    report.checkpoints = heads.len() as u64;
    compare(&computed, &listed, [&of_entries, &of_leaves], &heads, &mut report);
    if report.is_sound() {
        contents(&entries, &stubs, &computed, metadata_days, &mut report);
    }
    report.findings.sort_by_key(|finding| finding.entry.unwrap_or(u64::MAX));
    report
}

/// Anything in the folder that is not part of a bundle.
fn strangers(folder: &Path, report: &mut BundleReport) {
    let Ok(found) = std::fs::read_dir(folder) else { return };
    for entry in found.flatten() {
        let name = entry.file_name();
        if ![ENTRIES, LEAVES, CHECKPOINT].iter().any(|known| name == **known) {
            let why = format!("`{}` is no part of a bundle", name.display());
            report.add(None, FindingKind::Structure, why);
        }
    }
}

/// What was signed, by size: the bundle's own head, and those kept elsewhere.
fn heads(
    note: &[u8],
    kept: &[String],
    key: &VerifierKey,
    report: &mut BundleReport,
) -> BTreeMap<u64, [u8; 32]> {
    let mut heads = BTreeMap::new();
    let kept = kept.iter().map(|note| ("a kept checkpoint", note.as_bytes()));
    for (source, note) in std::iter::once(("the file `checkpoint`", note)).chain(kept) {
        match signed::read(note, key) {
            Ok(Signed { size, root }) => {
                if *heads.entry(size).or_insert(root) != root {
                    let why = format!("two signed heads of size {size} differ: the log was forked");
                    report.add(None, FindingKind::Rewritten, why);
                }
            }
            Err(why) => report.add(None, FindingKind::Checkpoint, format!("{source}: {why}")),
        }
    }
    heads
}

/// The lines of a file, each of which must end with a line feed.
fn lines<'a>(bytes: &'a [u8], name: &str, report: &mut BundleReport) -> Vec<&'a [u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    match lines.pop() {
        None | Some([]) => {}
        Some(_) => report.add(
            Some(lines.len()),
            FindingKind::Truncated,
            format!("cut off: the last line of `{name}` does not end"),
        ),
    }
    lines
}

/// One spelling per hash: lower case.
fn hash_in_hex(line: &[u8]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(line, &mut hash).ok()?;
    (hex::encode(hash).as_bytes() == line).then_some(hash)
}

/// The tree hash at every size for which there is a signed head, and at the end.
struct Roots {
    count: u64,
    last: [u8; 32],
    at: HashMap<u64, [u8; 32]>,
}

impl Roots {
    fn of(leaves: impl Iterator<Item = [u8; 32]>, heads: &BTreeMap<u64, [u8; 32]>) -> Self {
        let mut tree = Growing::default();
        let mut at = HashMap::from([(0, tree.root())]);
        let mut count = 0;
        for leaf in leaves {
            tree.push(leaf);
            count += 1;
            if heads.contains_key(&count) {
                at.insert(count, tree.root());
            }
        }
        Self { count, last: tree.root(), at }
    }

    /// Whether these leaves are all that the newest head signed, and agree with every other.
    fn are_signed(&self, heads: &BTreeMap<u64, [u8; 32]>) -> bool {
        heads.last_key_value().is_some_and(|(size, _)| *size == self.count)
            && heads.iter().all(|(size, root)| self.at.get(size) == Some(root))
    }
}

/// Names the first entry that is not what was signed. Of two files that differ, the one that fits the signature is right.
fn compare(
    computed: &[[u8; 32]],
    listed: &[Option<[u8; 32]>],
    [of_entries, of_leaves]: [&Roots; 2],
    heads: &BTreeMap<u64, [u8; 32]>,
    report: &mut BundleReport,
) {
    // A line that is no hash differs from every entry, and from none.
    let differs = (0..computed.len().max(listed.len()))
        .find(|at| computed.get(*at).map(|hash| Some(*hash)) != listed.get(*at).copied());
    match (differs, of_entries.are_signed(heads), of_leaves.are_signed(heads)) {
        (None, true, _) => {}
        (Some(at), true, _) => {
            let why = format!("its line in `{LEAVES}` is not its hash");
            report.add(Some(at), FindingKind::Structure, why);
        }
        (Some(at), false, leaves_are_signed) => {
            let (kind, why) = changed(at, computed, listed);
            report.add(Some(at), kind, why);
            if !leaves_are_signed && !heads.is_empty() {
                report.add(None, FindingKind::Rewritten, format!("`{LEAVES}` is not what was signed either"));
            }
        }
        // Both files agree, and are not what was signed.
        (None, false, _) => unsigned(of_entries, heads, report),
    }
}

/// What became of the entry in which the two files first differ.
fn changed(at: usize, computed: &[[u8; 32]], listed: &[Option<[u8; 32]>]) -> (FindingKind, String) {
    let Some(found) = computed.get(at) else {
        return (FindingKind::Truncated, format!("cut off: {} entries are listed", listed.len()));
    };
    if at >= listed.len() {
        return (FindingKind::Unsigned, "it is not among those that were signed".into());
    }
    match listed.iter().position(|line| line.as_ref() == Some(found)) {
        Some(other) if other == at + 1 => {
            (FindingKind::Removed, format!("removed: entry {other} stands in its place"))
        }
        Some(other) => (FindingKind::Moved, format!("entry {other} stands in its place")),
        None => (FindingKind::Changed, "its bytes are not those that were hashed".into()),
    }
}

fn unsigned(roots: &Roots, heads: &BTreeMap<u64, [u8; 32]>, report: &mut BundleReport) {
    let agreed = heads.iter().take_while(|(size, root)| roots.at.get(size) == Some(root));
    let agreed = agreed.last().map_or(0, |(size, _)| *size);
    let next = heads.range(agreed + 1..).next().map(|(size, _)| *size);
    let at = usize::try_from(agreed).ok();
    match next {
        _ if heads.is_empty() => {}
        Some(size) if size > roots.count => {
            let at = usize::try_from(roots.count).ok();
            let why = format!("cut off: {size} entries were signed, {} are there", roots.count);
            report.add(at, FindingKind::Truncated, why);
        }
        Some(size) => {
            let why = format!("it or one up to entry {} is not what was signed", size - 1);
            report.add(at, FindingKind::Rewritten, why);
        }
        None => report.add(at, FindingKind::Unsigned, "it and what follows is covered by no signed head"),
    }
}

/// The members of an entry that tie it to the log.
#[derive(Deserialize)]
struct Ties {
    index: u64,
    prev: String,
    event_id: String,
    phase: String,
    related: Option<String>,
    occurred_at: Timestamp,
    metadata_purged: Option<MetadataPurge>,
}

/// The event of a line that is a stub; one spelling.
fn stub(line: &[u8]) -> Option<EventId> {
    let text = std::str::from_utf8(line).ok()?;
    let event: EventId = text.strip_prefix("{\"expired\":\"")?.strip_suffix("\"}")?.parse().ok()?;
    (stub_line(&event.to_string()) == text).then_some(event)
}

/// Whether entries that are what was signed also fit each other: position, link, intent and outcome.
fn contents(
    entries: &[&[u8]],
    stubs: &[Option<EventId>],
    computed: &[[u8; 32]],
    metadata_days: Option<u32>,
    report: &mut BundleReport,
) {
    let mut previous = [0; 32];
    let mut open = HashSet::new();
    let mut expired = Expired::default();
    let mut events = Vec::with_capacity(entries.len());
    for (at, ((body, hash), stub)) in entries.iter().zip(computed).zip(stubs).enumerate() {
        if let Some(event) = stub {
            if !expired.gone(at as u64) {
                let why = "its body is gone, although an older one is there";
                report.add(Some(at), FindingKind::Removed, why);
            }
            events.push(*event);
            previous = *hash;
            continue;
        }
        if let Ok(Ties { event_id, occurred_at, metadata_purged, .. }) = serde_json::from_slice(body) {
            events.extend(event_id.parse::<EventId>());
            if let Some(mark) = metadata_purged {
                expired.recorded(at as u64, occurred_at, mark);
            }
        }
        match serde_json::from_slice::<Ties>(body) {
            Err(_) => report.add(Some(at), FindingKind::Changed, "it is not an entry"),
            Ok(ties) if ties.index != at as u64 => {
                report.add(Some(at), FindingKind::Moved, "it says that it belongs to another position");
            }
            Ok(ties) if ties.prev != hex::encode(previous) => {
                let why = "it is linked to another entry than the one before it";
                report.add(Some(at), FindingKind::Unlinked, why);
            }
            Ok(ties) => match (ties.phase.as_str(), ties.related) {
                ("intent", _) => _ = open.insert(ties.event_id),
                ("outcome", Some(intent)) => _ = open.remove(&intent),
                _ => {}
            },
        }
        previous = *hash;
    }
    report.open_intents = open.len() as u64;
    report.expired = expired.count();
    let stubs = events.iter().zip(computed).map(|(event, hash)| (*event.as_bytes(), *hash));
    report.findings.extend(expired.judge(metadata_days, stubs));
}
