//! `file_x,file_y,Decision`.
use std::path::Path;

use super::{Builder, Protocol, Trial};
use crate::malformed::{Place, ReadError};
use crate::pairs::{PairsError, read_pairs};

pub(super) fn read(list: &Path, folder: &Path) -> Result<Protocol, ReadError> {
    let pairs = read_pairs(list).map_err(|error| match error {
        PairsError::Csv { path, source } => ReadError::csv(&path, source),
        PairsError::Decision { path, line, found } => {
            let problem = format!("it is `{}`; expected Yes or No", crate::malformed::shown(&found));
            ReadError::malformed(&path, Place::Line(line), "`Decision`", problem)
        }
        PairsError::Empty(path) => ReadError::malformed(&path, Place::Whole, "pairs", "there are none"),
    })?;
    let mut builder = Builder::default();
    for pair in &pairs {
        let mut side = |name: &str| builder.side(name, || (folder.join(name), None, Vec::new()));
        let (one, other) = (side(&pair.one), side(&pair.other));
        builder.protocol.trials.push(Trial { one, other, mated: pair.mated, fold: 0 });
    }
    Ok(builder.protocol)
}
