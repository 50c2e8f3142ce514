//! LFW's `pairs.txt`: a header with folds and pairs per class (or pairs alone), then per fold the mated pairs
//! (`person n1 n2`) and as many non-mated ones (`person1 n1 person2 n2`), separated by tabs.
use std::path::Path;

use super::{Builder, Protocol, Trial};
use crate::malformed::{Place, ReadError, shown};

/// Images of one person; the data set itself has 530 at most.
const MOST_IMAGES: u32 = 9_999;

pub(super) fn read(list: &Path, folder: &Path) -> Result<Protocol, ReadError> {
    let text = crate::malformed::text(list)?;
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let fault = |line: u64, field: &str, problem: String| {
        ReadError::malformed(list, Place::Line(line), field.to_owned(), problem)
    };
    let Some((first, header)) = lines.next() else {
        return Err(ReadError::malformed(list, Place::Whole, "header", "the file is empty"));
    };
    let numbers: Option<Vec<u64>> = header.split_whitespace().map(|number| number.parse().ok()).collect();
    let (folds, pairs) = match numbers.as_deref() {
        Some([pairs]) => (1, *pairs),
        Some([folds, pairs]) => (*folds, *pairs),
        _ => {
            let problem =
                format!("it is `{}`; expected the number of folds and of pairs per class", shown(header));
            return Err(fault(first, "header", problem));
        }
    };
    if !(1..=1_000).contains(&folds) || !(1..=10_000_000).contains(&pairs) {
        return Err(fault(first, "header", format!("{folds} folds of {pairs} pairs are out of range")));
    }
    let mut builder = Builder::default();
    let side = |builder: &mut Builder, line: u64, person: &str, number: &str| {
        let Some(number) = number.parse::<u32>().ok().filter(|number| (1..=MOST_IMAGES).contains(number))
        else {
            let problem = format!("it is `{}`; expected 1 to {MOST_IMAGES}", shown(number));
            return Err(fault(line, "image number", problem));
        };
        if person.contains(['/', '\\']) || person.starts_with('.') {
            return Err(fault(line, "person", format!("`{}` is no name of a folder", shown(person))));
        }
        let file = format!("{person}_{number:04}.jpg");
        let name = format!("{person}/{file}");
        Ok(builder.side(&name, || (folder.join(person).join(&file), Some(person.to_owned()), Vec::new())))
    };
    for fold in 1..=folds {
        for at in 0..2 * pairs {
            let mated = at < pairs;
            let Some((line, text)) = lines.next() else {
                let problem = format!(
                    "the file ends in fold {fold}, which needs {pairs} mated and {pairs} non-mated pairs"
                );
                return Err(ReadError::malformed(list, Place::Whole, "pairs", problem));
            };
            let fields: Vec<&str> = text.split('\t').map(str::trim).collect();
            let (one, other) = match (mated, fields.as_slice()) {
                (true, [person, one, other]) => {
                    (side(&mut builder, line, person, one)?, side(&mut builder, line, person, other)?)
                }
                (false, [first, one, second, other]) => {
                    if first == second {
                        let problem = format!("both are `{}` in a non-mated pair", shown(first));
                        return Err(fault(line, "person", problem));
                    }
                    (side(&mut builder, line, first, one)?, side(&mut builder, line, second, other)?)
                }
                (_, fields) => {
                    let expected = if mated { 3 } else { 4 };
                    let problem =
                        format!("there are {} fields; expected {expected}, separated by tabs", fields.len());
                    return Err(fault(line, "all fields", problem));
                }
            };
            let fold = u16::try_from(fold).unwrap_or(u16::MAX);
            builder.protocol.trials.push(Trial { one, other, mated, fold });
        }
    }
    if let Some((line, _)) = lines.next() {
        return Err(fault(line, "pairs", "there are more pairs than the header announces".to_owned()));
    }
    Ok(builder.protocol)
}
