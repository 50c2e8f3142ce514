//! Restoring: onto the data directory of the service that made the backup, or into a new one.
use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{OfflineContext, OfflineError, asked, open, open_for, unanswered};
use crate::{
    backup::{self, Backup, BackupError, Destination},
    data::{DataDir, swap},
    durable,
    service::{Onto, Opening, Rendered, RestoreRequest, Restored, restore::RPC},
};

/// What is kept apart from backups, by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The key store: the folder `keys/` of a data directory, or a copy of it.
    pub keys: PathBuf,
    /// A folder with `profile.toml`, `tls/` and `issuer/`, for a backup without credentials.
    pub credentials: Option<PathBuf>,
}

/// Restores onto a data directory that no server runs on.
///
/// # Errors
/// [`OfflineError`]; see [`crate::service::Service::restore`].
pub fn restore(
    data: &Path,
    token: &str,
    context: &OfflineContext,
    from: &Path,
    request: &RestoreRequest,
) -> Result<Restored, OfflineError> {
    swap::make_place(&DataDir::at(data)).map_err(BackupError::from)?;
    // The lock first: nobody waits for a backup to be read only to hear that a server runs.
    let service = open_for(data, Opening::Restore)?;
    let restored = carry_out(&service, token, context, &Backup::open(from)?, request)?;
    drop(service);
    // What was restored opens as a start would open it.
    open(data).map_err(|error| OfflineError::Restored(Box::new(error)))?;
    Ok(restored)
}

/// Makes a new data directory from a backup and what was kept apart from it.
///
/// It is written under another name and gets its own when everything is in place: cut off anywhere, there is none.
///
/// # Errors
/// [`OfflineError`]; see [`crate::service::Service::restore`].
pub fn restore_new(
    data: &Path,
    token: &str,
    context: &OfflineContext,
    from: &Path,
    apart: &Apart,
    request: &RestoreRequest,
) -> Result<Restored, OfflineError> {
    let backup = Backup::open(from)?;
    let place = new_place(data)?;
    if !backup.manifest().credentials && apart.credentials.is_none() {
        return Err(refused(
            data,
            "the backup was made without credentials: say where profile, certificates and issuer are kept, with `--credentials`",
        ));
    }
    let made = fill(&backup, &place, apart).map_err(OfflineError::from).and_then(|()| {
        let service = open_for(place.staging(), Opening::Restore)?;
        let request = RestoreRequest { onto: Onto::New, ..request.clone() };
        carry_out(&service, token, context, &backup, &request)
    });
    let restored = match made {
        Ok(restored) => restored,
        Err(error) => {
            if let Err(error) = durable::remove_folder(place.staging()) {
                tracing::warn!(%error, "an unfinished data directory could not be removed");
            }
            return Err(error);
        }
    };
    durable::sync_everything(place.staging()).map_err(BackupError::from)?;
    place.publish()?;
    open(data).map_err(|error| OfflineError::Restored(Box::new(error)))?;
    Ok(restored)
}

fn carry_out(
    service: &crate::service::Service,
    token: &str,
    context: &OfflineContext,
    backup: &Backup,
    request: &RestoreRequest,
) -> Result<Restored, OfflineError> {
    let described = format!("{request:?} {}", backup.folder().display()).into_bytes();
    let answer = service.restore(asked(RPC, token, context, described), backup, request, |restored| {
        Rendered { bytes: format!("{restored:?}").into_bytes(), message: restored.clone() }
    });
    Ok(answer.map_err(unanswered)?.into_parts().0)
}

fn new_place(data: &Path) -> Result<Destination, OfflineError> {
    let path =
        std::path::absolute(data).map_err(|source| BackupError::Copy { path: data.to_path_buf(), source })?;
    let place = Destination::beside(path)?;
    if fs::read_dir(place.folder()).is_ok_and(|mut there| there.next().is_some()) || place.folder().is_file()
    {
        return Err(refused(data, "it is not empty, and no data directory; name a new or an empty folder"));
    }
    if fs::symlink_metadata(place.staging()).is_ok() {
        return Err(refused(
            data,
            "an earlier restore to this place was cut short; remove the folder of this name with `.partial` at its end",
        ));
    }
    Ok(place)
}

fn refused(path: &Path, why: &'static str) -> OfflineError {
    BackupError::Destination { path: path.to_path_buf(), why }.into()
}

/// Everything but the pools, which [`crate::service::Service::restore`] puts in place.
fn fill(backup: &Backup, place: &Destination, apart: &Apart) -> Result<(), BackupError> {
    let staging = place.staging();
    durable::create_dir(staging)?;
    for file in backup.files()? {
        let file = file?;
        if !file.path.starts_with("pools/") {
            backup.take(&file, &staging.join(&file.path))?;
        }
    }
    let data = DataDir::at(staging);
    durable::create_dir(&data.pools())?;
    backup::copy_keys(&apart.keys, &data.keys())?;
    if let Some(credentials) = apart.credentials.as_ref().filter(|_| !backup.manifest().credentials) {
        backup::copy_credentials(credentials, staging)?;
    }
    durable::create_file(&data.lock(), b"")?;
    Ok(())
}
