//! The new pools beside the old ones: copied from the backup, cleared of the erased, and joined by pools that the backup lacks.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Point, PoolRestored, RestoreError};
use crate::{
    backup::Backup,
    durable::{self, FileError},
    keys::{KeyError, PoolName},
    pool::{PoolDefinition, PoolError},
    service::Service,
};

/// Folder of the pools within a backup.
const POOLS: &str = "pools/";

impl Service {
    /// Pools of the backup that have their key, and those whose key was destroyed since.
    pub(super) fn sort_pools(&self, backup: &Backup) -> Result<(Vec<PoolName>, Vec<PoolName>), RestoreError> {
        let (mut there, mut dropped) = (Vec::new(), Vec::new());
        for pool in &backup.manifest().pools {
            let file = backup.folder().join(POOLS).join(pool.name.as_str()).join("pool.toml");
            let definition =
                PoolDefinition::read(file, self.authoriser.purposes()).map_err(PoolError::from)?;
            match self.keys.open_pool(&pool.name, &definition.key_check) {
                Ok(_) => there.push(pool.name.clone()),
                Err(KeyError::UnknownPool { .. }) => dropped.push(pool.name.clone()),
                Err(error) => return Err(PoolError::from(error).into()),
            }
        }
        Ok((there, dropped))
    }

    /// Writes the new pools into their staging folder. Says what came from the backup, and what stayed.
    pub(super) fn stage(
        &self,
        backup: &Backup,
        names: &[PoolName],
        at: &mut dyn FnMut(Point),
    ) -> Result<(Vec<PoolRestored>, Vec<PoolName>), RestoreError> {
        let staging = self.data.pools_restoring();
        durable::remove_folder(&staging)?;
        durable::create_dir(&staging)?;
        let wanted: BTreeSet<&str> = names.iter().map(PoolName::as_str).collect();
        for file in backup.files()? {
            let file = file?;
            let Some(path) = file.path.strip_prefix(POOLS) else { continue };
            if path.split('/').next().is_some_and(|pool| wanted.contains(pool)) {
                backup.take(&file, &staging.join(path))?;
                at(Point::Copied);
            }
        }
        let mut restored = Vec::new();
        for name in names {
            restored.push(self.settle_pool(&staging, name)?);
            at(Point::Reapplied);
        }
        let kept = self.keep_others(backup, &staging)?;
        Ok((restored, kept))
    }

    /// Pools made after the backup are not in it and stay as they are: the same files under their new place, too.
    fn keep_others(&self, backup: &Backup, staging: &Path) -> Result<Vec<PoolName>, RestoreError> {
        let there: BTreeSet<&str> = backup.manifest().pools.iter().map(|pool| pool.name.as_str()).collect();
        let mut kept = Vec::new();
        let folder = self.data.pools();
        if !folder.exists() {
            return Ok(kept);
        }
        for entry in fs::read_dir(&folder).map_err(io(&folder))? {
            let entry = entry.map_err(io(&folder))?;
            let name = entry.file_name().to_str().and_then(|name| name.parse::<PoolName>().ok());
            let Some(name) = name.filter(|name| !there.contains(name.as_str())) else { continue };
            link_folder(&entry.path(), &staging.join(name.as_str()))?;
            kept.push(name);
        }
        kept.sort();
        Ok(kept)
    }
}

fn link_folder(from: &Path, to: &Path) -> Result<(), RestoreError> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.map_err(|error| io(from)(error.into()))?;
        let place: PathBuf = match entry.path().strip_prefix(from) {
            Ok(inside) => to.join(inside),
            Err(_) => continue,
        };
        if entry.file_type().is_dir() {
            durable::create_dir(&place)?;
        } else {
            fs::hard_link(entry.path(), &place).map_err(io(entry.path()))?;
        }
    }
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { action: "keep", path, source }
}
