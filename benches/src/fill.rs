//! A pool of a million templates in a minute or two, where enrolling as many images would take most of a day; and the probes to
//! search it with.
//!
//! The server's own writers are used (keys, seals, record store) on the folder of a server that is not running; what is
//! written is what enrolment writes, with three differences: the templates are made-up ones ([`crate::gallery`]) laid
//! around the middle of real ones; the image of each is bytes that are no picture; and nothing is audited or
//! flushed row by row. The server then starts on it as on any other, and checks records, files and index against each
//! other.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use likeness_matcher::pipeline::Analysed;
use likeness_matcher::{Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{Home, Pack};
use likeness_server::authorise::Purposes;
use likeness_server::data::DataDir;
use likeness_server::ids::{ImageId, SubjectId};
use likeness_server::keys::{FileKeyStore, KeyStore as _, PoolKey};
use likeness_server::pool::{Details, ImageRecord, PoolDefinition, SubjectRecord, SubjectSeal};
use likeness_server::records::{NewImage, NewSubject, RecordStore as _, SqliteRecords};
use likeness_server::seal::SealKey;
use rayon::prelude::*;

use crate::gallery::{Gallery, Reference, embedding};
use crate::server::{POOL, Server};
use crate::{enrol, images};

/// What stands in for an image: no search reads it.
pub const NO_IMAGE: &[u8] = b"not an image; made to measure the service";

/// Name of the system that "enrolled" them.
const SYSTEM: &str = "likeness-bench";

/// Real probes of synthetic persons, and made-up references that lie where the templates of the probes do.
pub struct Population {
    /// The matcher that analysed the probes.
    pub matcher: Matcher,
    /// Images, each of which the matcher accepts.
    pub probes: Vec<Vec<u8>>,
    /// What it made of them.
    pub analysed: Vec<Analysed>,
    /// The references.
    pub gallery: Gallery,
    seed: u64,
    persons: u64,
}

impl Population {
    /// `persons` synthetic persons, and a gallery around the middle of their templates.
    ///
    /// # Errors
    /// When the model pack cannot be used or accepts no probe.
    pub fn new(seed: u64, persons: u64) -> anyhow::Result<Self> {
        let home = Home::locate()?;
        let pack = Pack::open(&home, likeness_models::DEFAULT_PACK)?;
        let matcher = Matcher::open(&pack, &home.runtime_library()?, &MatcherOptions::default())?;
        // The detector misses a face now and then, of synthetic persons too; those are no probes.
        let (probes, analysed): (Vec<Vec<u8>>, Vec<Analysed>) = images::synthetic(seed, 0..persons, 1)?
            .into_iter()
            .filter_map(|probe| {
                let found = matcher.analyse(&probe, &Selection::Largest, &QualityPolicy::default()).ok()?;
                Some((probe, found))
            })
            .unzip();
        ensure!(!probes.is_empty(), "no probe was accepted; ask for more");
        let gallery = Gallery::new(seed, matcher.dimension()).around(&middle(&analysed, matcher.dimension()));
        ensure!(
            gallery.metric() == matcher.metric(),
            "the gallery cannot stand for templates of this model pack"
        );
        Ok(Self { matcher, probes, analysed, gallery, seed, persons })
    }

    /// A data folder with the pool [`POOL`]: the persons of the probes, enrolled as anybody is, and `rows` made-up references.
    ///
    /// # Errors
    /// When the server does not start, or a file cannot be written.
    pub fn settle(&self, data: &Path, rows: u64, looks: &Looks<'_>) -> anyhow::Result<()> {
        // Dropped before the server is: it then has no open connections to wait for.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = Server::start(Some(data))?;
        runtime.block_on(async {
            let connection = server.connect().await?;
            connection.pool().await?;
            enrol::send(&connection, 0, images::synthetic(self.seed, 0..self.persons, 0)?).await
        })?;
        drop(server);
        let like = self.analysed.first().context("no probe was accepted")?;
        fill(data, &self.gallery, rows, like, looks)
    }
}

/// The mean of real templates.
fn middle(analysed: &[Analysed], dimension: usize) -> Vec<f32> {
    (0..dimension)
        .map(|at| analysed.iter().map(|one| one.embedding.values()[at]).sum::<f32>() / analysed.len() as f32)
        .collect()
}

/// What made-up records look like beyond their templates.
pub struct Looks<'a> {
    /// What stands in for each image.
    pub image: &'a [u8],
    /// When the records of a subject, by its number, were collected.
    pub collected: &'a (dyn Fn(u64) -> Timestamp + Sync),
}

/// The pool that is filled.
struct Target<'a> {
    definition: &'a PoolDefinition,
    key: &'a PoolKey,
    blobs: &'a Path,
    /// What a real image was found to be; every made-up one says the same of itself.
    like: &'a Analysed,
    looks: &'a Looks<'a>,
}

/// Adds the first `rows` references of the gallery to the pool of a data folder that no server has open.
fn fill(data: &Path, gallery: &Gallery, rows: u64, like: &Analysed, looks: &Looks<'_>) -> anyhow::Result<()> {
    let began = Instant::now();
    let data = DataDir::at(data);
    let _lock = data.acquire()?;
    let folder = data.pools().join(POOL);
    let definition = PoolDefinition::read(folder.join("pool.toml"), &Purposes::built_in()?)?;
    let keys = FileKeyStore::open(&data.keys())?;
    let key = keys.open_pool(&definition.name, &definition.key_check)?;
    let records = SqliteRecords::open(&folder.join("records.sqlite"))?;
    let blobs = folder.join("blobs");
    let target = Target { definition: &definition, key: &key, blobs: &blobs, like, looks };
    // The last subject of a block may have more references in the next one.
    let mut last: Option<(u64, SubjectId, SealKey)> = None;
    gallery.each_block(0..rows, |first, references| {
        if first % 100_000 == 0 {
            eprintln!("{first} of {rows} templates filled in, {:.0} s", began.elapsed().as_secs_f64());
        }
        let mut numbers: Vec<u64> = references.iter().map(|reference| reference.subject).collect();
        numbers.dedup();
        numbers.retain(|number| last.as_ref().is_none_or(|last| last.0 != *number));
        let ids: Vec<SubjectId> =
            numbers.iter().map(|number| SubjectId::at((looks.collected)(*number))).collect();
        let made = keys.create_subject_keys(&key, &ids, Timestamp::now())?;
        let subjects: Vec<(u64, SubjectId, SealKey)> = last
            .take()
            .into_iter()
            .chain(numbers.iter().zip(ids).zip(made).map(|((number, id), key)| (*number, id, key)))
            .collect();
        let known = subjects.len() - numbers.len();
        let persons = subjects[known..]
            .par_iter()
            .map(|(number, id, key)| target.person(*number, *id, key))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let images = (first..)
            .zip(references)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(row, reference)| {
                let at = subjects.binary_search_by_key(&reference.subject, |subject| subject.0);
                let subject = at.ok().and_then(|at| subjects.get(at)).context("a subject without a key")?;
                target.image(row, reference, subject)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        records.commit_enrolments(&persons, &images)?;
        last = subjects.into_iter().next_back();
        Ok(())
    })
}

impl Target<'_> {
    fn person(&self, number: u64, id: SubjectId, key: &SealKey) -> anyhow::Result<NewSubject> {
        let reference = format!("made-up-{number}");
        let record = SubjectRecord {
            source_system: SYSTEM.to_owned(),
            subject_reference: reference.clone(),
            details: Details::default(),
        };
        let seal = SubjectSeal::new(&self.definition.name, id, key.clone());
        let digest = [&b"subject reference"[..], SYSTEM.as_bytes(), reference.as_bytes()];
        Ok(NewSubject {
            id,
            reference_digest: self.key.lookup_digest(&digest),
            sealed_details: seal.seal_subject(&record)?,
            created_at: (self.looks.collected)(number),
        })
    }

    fn image(
        &self,
        row: u64,
        reference: &Reference,
        (number, subject, key): &(u64, SubjectId, SealKey),
    ) -> anyhow::Result<NewImage> {
        let collected_at = (self.looks.collected)(*number);
        let id = ImageId::at(collected_at);
        let source = format!("made-up-{row}");
        let seal = SubjectSeal::new(&self.definition.name, *subject, key.clone());
        let space = self.definition.space.parse()?;
        let record = ImageRecord {
            source_system: SYSTEM.to_owned(),
            source_reference: source.clone(),
            capture_date: None,
            capture_circumstance: String::new(),
            media_type: self.like.media_type,
            width: self.like.width,
            height: self.like.height,
            face: self.like.faces[self.like.chosen],
            face_index: 0,
            faces: 1,
            selected_largest: true,
            quality: self.like.quality.clone(),
            pack: self.definition.pack.clone(),
            space: self.definition.space.clone(),
            matcher_version: likeness_server::service::MATCHER_VERSION.to_owned(),
        };
        let template = embedding(space, reference.values.clone())?;
        self.write_blob(id, &seal.seal_bytes(id, self.looks.image)?)?;
        let digest = [&b"source reference"[..], SYSTEM.as_bytes(), source.as_bytes()];
        Ok(NewImage {
            id,
            subject: *subject,
            source_digest: self.key.lookup_digest(&digest),
            content_digest: seal.content_digest(self.looks.image),
            sealed_record: seal.seal_record(id, &record)?,
            sealed_template: Some(seal.seal_template(id, &template)?),
            other: None,
            collected_at,
        })
    }

    /// Where the blob store of the server looks for it; the server refuses to start when it is elsewhere.
    fn write_blob(&self, id: ImageId, sealed: &[u8]) -> anyhow::Result<()> {
        let name = id.to_string();
        let folder = self.blobs.join(&name[name.len() - 2..]);
        if !folder.is_dir() {
            std::fs::create_dir_all(&folder)?;
        }
        Ok(std::fs::write(folder.join(name), sealed)?)
    }
}
