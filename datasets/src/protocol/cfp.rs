//! CFP: `Protocol/Split/{FF,FP}/<fold>/{same,diff}.txt` with lines `i,j`, numbers of images in `Protocol/Pair_list_F.txt` and
//! `Protocol/Pair_list_P.txt`, whose lines are `number path`, relative to `Protocol`.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Builder, Protocol, Trial};
use crate::malformed::{Place, ReadError, shown};

/// `split` is the folder of one of the two protocols, `Protocol/Split/FP`.
pub(super) fn read(split: &Path) -> Result<Protocol, ReadError> {
    let kind = split.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let other_list = match kind.as_str() {
        "FF" => "Pair_list_F.txt",
        "FP" => "Pair_list_P.txt",
        _ => {
            let problem = "name the folder `FF` or `FP` in CFP's `Protocol/Split`";
            return Err(ReadError::malformed(split, Place::Whole, "folder", problem));
        }
    };
    let root = split.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let first = images(&root.join("Pair_list_F.txt"))?;
    let second = images(&root.join(other_list))?;
    let mut folds: Vec<PathBuf> = std::fs::read_dir(split)
        .map_err(ReadError::unreadable(split))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    folds.sort();
    let mut builder = Builder::default();
    for (number, fold) in (1_u16..).zip(&folds) {
        for (file, mated) in [("same.txt", true), ("diff.txt", false)] {
            pairs(&fold.join(file), (&first, &second), mated, number, &mut builder)?;
        }
    }
    Ok(builder.protocol)
}

/// Paths by number.
fn images(list: &Path) -> Result<HashMap<u32, PathBuf>, ReadError> {
    let text = crate::malformed::text(list)?;
    let mut found = HashMap::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let fault =
            |field: &str, problem: String| ReadError::malformed(list, Place::Line(line), field, problem);
        let Some((number, path)) = text.trim().split_once(char::is_whitespace) else {
            return Err(fault("path", "it is missing; expected `number path`".to_owned()));
        };
        let number: u32 = number
            .parse()
            .map_err(|_| fault("number", format!("it is `{}`; expected a whole number", shown(number))))?;
        let path = list.parent().unwrap_or(Path::new(".")).join(path.trim());
        if found.insert(number, path).is_some() {
            return Err(fault("number", format!("{number} is there twice")));
        }
    }
    Ok(found)
}

fn pairs(
    file: &Path,
    lists: (&HashMap<u32, PathBuf>, &HashMap<u32, PathBuf>),
    mated: bool,
    fold: u16,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let text = crate::malformed::text(file)?;
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let fault =
            |field: &str, problem: String| ReadError::malformed(file, Place::Line(line), field, problem);
        let Some((left, right)) = text.split_once(',') else {
            return Err(fault("all fields", format!("it is `{}`; expected `number,number`", shown(text))));
        };
        let mut side = |field: &str, number: &str, list: &HashMap<u32, PathBuf>| {
            let wrong = || fault(field, format!("`{}` is no number of the image list", shown(number)));
            let path =
                number.trim().parse().ok().and_then(|number: u32| list.get(&number)).ok_or_else(wrong)?;
            // `.../Data/Images/<person>/<frontal or profile>/<image>`
            let mut parts = path.iter().rev();
            let name: Vec<_> =
                parts.by_ref().take(3).map(|part| part.to_string_lossy().into_owned()).collect();
            let subject = name.get(2).cloned();
            let name: Vec<String> = name.into_iter().rev().collect();
            Ok::<u32, ReadError>(builder.side(&name.join("/"), || (path.clone(), subject, Vec::new())))
        };
        let (one, other) = (side("first", left, lists.0)?, side("second", right, lists.1)?);
        builder.protocol.trials.push(Trial { one, other, mated, fold });
    }
    Ok(())
}
