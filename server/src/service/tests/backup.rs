//! Backups and restores of a service whose pools are filled without a matcher: what comes back, what stays away, what is refused.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    filled::{bytes_of, embedding},
    *,
};
use crate::{
    authorise::{Action, Permit},
    backup::Backup,
    ids::{ImageId, SubjectId},
    service::offline,
};

mod cut;
mod kept_out;
mod restored;

/// A permit for the test's own look at a pool.
fn permit(pool: &str, action: Action) -> Permit {
    Permit::for_upkeep(&pool.parse().unwrap(), action, "a test")
}

fn moment() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Makes the pool ready without a matcher.
fn ready(service: &Service, pool: &str) -> Arc<Pool> {
    let found = service.pool(pool).unwrap();
    if !found.is_ready() {
        found.load(&permit(pool, Action::Search)).unwrap();
    }
    found
}

/// Records a person with one searchable and one held image; says who it is and which images.
fn enrol(service: &Service, pool: &str, reference: &str, seed: usize) -> (SubjectId, [ImageId; 2]) {
    let found = ready(service, pool);
    let (person, images) = filled::person(service, reference, seed, moment());
    let (id, ids) = (person.id, [images[0].id, images[1].id]);
    let permit = permit(pool, Action::Enrol);
    found.writer(&permit).unwrap().store(&[person], &images, moment()).unwrap();
    (id, ids)
}

/// Everything that a pool answers about these people: lists, records and bytes.
fn answers(service: &Service, pool: &str, references: &[&str]) -> BTreeMap<String, String> {
    let found = ready(service, pool);
    let permit = permit(pool, Action::ReadSubject);
    let reader = found.reader(&permit).unwrap();
    let mut answers = BTreeMap::new();
    for (seed, reference) in references.iter().enumerate() {
        let subject = reader.subject_by_reference("system", reference).unwrap().seen();
        let images = subject.iter().flat_map(|subject| reader.images_of(subject.id).unwrap());
        let held: Vec<String> =
            images.map(|image| format!("{image:?} {:?}", reader.image_bytes(&image).unwrap())).collect();
        let deadline = Instant::now() + Duration::from_secs(10);
        let list = reader.search(&embedding(service, seed), 10, deadline).unwrap().hits;
        let opened = reader.enrolled(&list).unwrap();
        answers.insert((*reference).to_owned(), format!("{subject:?} {held:?} {list:?} {opened:?}"));
    }
    answers
}

/// Makes a backup beside the data directory.
fn back_up(place: &Place, name: &str) -> PathBuf {
    let to = place.data.path().parent().unwrap().join(name);
    try_back_up(place, &to, false).unwrap();
    to
}

fn try_back_up(place: &Place, to: &Path, without_credentials: bool) -> Result<BackupMade, Unanswered> {
    let mut asked = place.asked(&[Role::PoolAdmin], "system_administration");
    asked.rpc = "likeness.v1.BackupService/CreateBackup";
    let request = BackupRequest { destination: to.to_str().unwrap().to_owned(), without_credentials };
    let rendered = |made: &BackupMade| Rendered { message: made.clone(), bytes: b"made".to_vec() };
    Ok(place.service.back_up(asked, &request, rendered)?.into_parts().0)
}

/// Gives the data directory up, and opens it again afterwards.
fn closed<T>(place: Place, work: impl FnOnce(&DataDir, &str) -> T) -> (Place, T) {
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);
    let done = work(&data, &token);
    let service = Service::open(&data, Arc::new(SystemClock), Opening::Administer).unwrap();
    (Place { _folder: folder, data, service: Arc::new(service) }, done)
}

fn fields() -> ContextFields {
    ContextFields {
        system_name: "likeness-cli".to_owned(),
        reference_id: "ref-1".to_owned(),
        purpose_code: "system_administration".to_owned(),
        justification: "asked by a test".to_owned(),
    }
}

fn request(accept_loss: bool) -> RestoreRequest {
    RestoreRequest { onto: Onto::Live, expect: None, accept_loss }
}

/// Restores onto the data directory as the command does.
fn restore(
    data: &DataDir,
    token: &str,
    from: &Path,
    accept_loss: bool,
) -> Result<Restored, offline::OfflineError> {
    offline::restore(data.path(), token, &fields(), from, &request(accept_loss))
}

fn code(error: &offline::OfflineError) -> &str {
    match error {
        offline::OfflineError::Refused { code, .. } => code,
        other => panic!("{other}"),
    }
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (path, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn holds(folder: &Path, needle: &[u8]) -> bool {
    files(folder).values().any(|bytes| memchr::memmem::find(bytes, needle).is_some())
}
