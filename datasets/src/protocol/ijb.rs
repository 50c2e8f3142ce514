//! IJB-style files: `templates.csv` (`TEMPLATE_ID,SUBJECT_ID,FILENAME`, optionally `FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT`; one row an
//! image, several a template) and, beside it, `matches.csv` (two template ids a line, no header).
use std::collections::HashMap;
use std::path::Path;

use super::{Image, Protocol, Side, Source, Trial};
use crate::malformed::{Place, ReadError, shown};

pub(super) fn read(matches: &Path, folder: &Path) -> Result<Protocol, ReadError> {
    let templates = matches.with_file_name("templates.csv");
    let mut protocol = Protocol::default();
    let known = sides(&templates, folder, &mut protocol)?;
    let fault = |error| ReadError::csv(matches, error);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(matches)
        .map_err(fault)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        let line = Place::Line(record.position().map_or(0, csv::Position::line));
        if record.len() != 2 {
            let problem = format!("there are {} fields; expected two template ids", record.len());
            return Err(ReadError::malformed(matches, line, "all fields", problem));
        }
        let side = |at: usize, field: &str| {
            let id = record.get(at).unwrap_or_default();
            known.get(id).copied().ok_or_else(|| {
                let problem = format!("`{}` is no TEMPLATE_ID of `{}`", shown(id), templates.display());
                ReadError::malformed(matches, line, field, problem)
            })
        };
        let (one, other) = (side(0, "first template")?, side(1, "second template")?);
        let subject = |side: u32| &protocol.sides[side as usize].subject;
        let mated = subject(one) == subject(other);
        protocol.trials.push(Trial { one, other, mated, fold: 0 });
    }
    Ok(protocol)
}

fn sides(file: &Path, folder: &Path, protocol: &mut Protocol) -> Result<HashMap<String, u32>, ReadError> {
    let fault = |error| ReadError::csv(file, error);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(fault)?;
    let header = reader.headers().map_err(fault)?.clone();
    let at = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let need = |name: &str| {
        at(name).ok_or_else(|| {
            ReadError::malformed(file, Place::Line(1), format!("`{name}`"), "the column is missing")
        })
    };
    let (template, subject, name) = (need("TEMPLATE_ID")?, need("SUBJECT_ID")?, need("FILENAME")?);
    let corners = ["FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT"].map(at);
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        let line = Place::Line(record.position().map_or(0, csv::Position::line));
        let text = |column: usize| record.get(column).unwrap_or_default();
        for (column, field) in [(template, "`TEMPLATE_ID`"), (subject, "`SUBJECT_ID`"), (name, "`FILENAME`")]
        {
            if text(column).is_empty() {
                return Err(ReadError::malformed(file, line, field, "it is empty"));
            }
        }
        let mut face = [0.0; 4];
        let mut stated = corners.iter().all(Option::is_some);
        for (value, column) in face.iter_mut().zip(corners) {
            let given = column.map(text).unwrap_or_default();
            match given.parse::<f32>() {
                Ok(number) if number.is_finite() => *value = number,
                _ if given.is_empty() => stated = false,
                _ => {
                    let problem = format!("`{}` is no number", shown(given));
                    return Err(ReadError::malformed(file, line, "face box", problem));
                }
            }
        }
        let image = u32::try_from(protocol.images.len()).unwrap_or(u32::MAX);
        protocol.images.push(Image {
            name: text(name).to_owned(),
            source: Source::File(folder.join(text(name))),
            face: stated.then_some(face),
        });
        let next = u32::try_from(protocol.sides.len()).unwrap_or(u32::MAX);
        let side = *known.entry(text(template).to_owned()).or_insert(next);
        if side == next {
            protocol.sides.push(Side {
                name: text(template).to_owned(),
                subject: Some(text(subject).to_owned()),
                labels: Vec::new(),
                images: Vec::new(),
            });
        } else if protocol.sides[side as usize].subject.as_deref() != Some(text(subject)) {
            let problem = format!("template {} has two subjects", shown(text(template)));
            return Err(ReadError::malformed(file, line, "`SUBJECT_ID`", problem));
        }
        protocol.sides[side as usize].images.push(image);
    }
    Ok(known)
}
