//! AgeDB: pair lists of `name name 0|1`, names `<number>_<Person>_<age>_<m|f>.jpg`, which give labels for age and sex.
use std::path::Path;

use super::{Builder, Protocol, Trial};
use crate::malformed::{Place, ReadError, shown};

pub(super) fn read(list: &Path, folder: &Path) -> Result<Protocol, ReadError> {
    let text = crate::malformed::text(list)?;
    let mut builder = Builder::default();
    builder.protocol.attributes = vec!["sex".to_owned(), "age_band".to_owned()];
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let fault =
            |field: &str, problem: String| ReadError::malformed(list, Place::Line(line), field, problem);
        let fields: Vec<&str> = text.split([',', '\t', ' ']).filter(|field| !field.is_empty()).collect();
        let [left, right, label] = fields.as_slice() else {
            let problem = format!("there are {} fields; expected two names and 0 or 1", fields.len());
            return Err(fault("all fields", problem));
        };
        let mated = match *label {
            "1" => true,
            "0" => false,
            other => return Err(fault("label", format!("it is `{}`; expected 0 or 1", shown(other)))),
        };
        let mut side = |field: &str, name: &str| {
            let person = Person::of(name).ok_or_else(|| {
                let problem = format!("`{}` is not `<number>_<Person>_<age>_<m or f>.jpg`", shown(name));
                fault(field, problem)
            })?;
            let labels = vec![person.sex.to_owned(), person.band().to_owned()];
            let subject = person.name.to_owned();
            let made = || (folder.join(name), Some(subject.clone()), labels);
            Ok::<(u32, String), ReadError>((builder.side(name, made), subject))
        };
        let ((one, first), (other, second)) = (side("first name", left)?, side("second name", right)?);
        if mated != (first == second) {
            let problem =
                format!("it is {label}, but the names say `{}` and `{}`", shown(&first), shown(&second));
            return Err(fault("label", problem));
        }
        builder.protocol.trials.push(Trial { one, other, mated, fold: 0 });
    }
    Ok(builder.protocol)
}

struct Person<'a> {
    name: &'a str,
    age: u32,
    sex: &'static str,
}

impl<'a> Person<'a> {
    /// From the end, because persons' names hold underscores.
    fn of(file: &'a str) -> Option<Self> {
        let stem = file.rsplit('/').next()?.rsplit_once('.')?.0;
        let (rest, sex) = stem.rsplit_once('_')?;
        let (rest, age) = rest.rsplit_once('_')?;
        let (number, name) = rest.split_once('_')?;
        number.parse::<u64>().ok()?;
        let sex = match sex {
            "m" => "male",
            "f" => "female",
            _ => return None,
        };
        let age = age.parse().ok().filter(|age| *age <= 130)?;
        (!name.is_empty()).then_some(Self { name, age, sex })
    }

    fn band(&self) -> &'static str {
        match self.age {
            0..18 => "0-17",
            18..31 => "18-30",
            31..56 => "31-55",
            _ => "56+",
        }
    }
}
