//! ANSI/NIST-ITL files (NIST SP 500-290, traditional encoding) as image sources: Type-1, Type-2 and Type-10 records.
//!
//! A record is `TT.001:length` GS `TT.NNN:value` GS ... FS. The image, field 999, is raw and may hold any byte, so a record ends where
//! its length says and never at a separator. The records that follow are announced in 1.003 (CNT): one is read for each.
use std::path::Path;

use crate::malformed::{Place, ReadError, shown};

/// Between records.
const FS: u8 = 0x1c;
/// Between fields.
const GS: u8 = 0x1d;
/// Between subfields.
const RS: u8 = 0x1e;
/// Between items.
const US: u8 = 0x1f;

/// Endings of file names.
pub const TYPE10_ENDINGS: [&str; 5] = ["an2", "eft", "nist", "nst", "tp10"];

/// A facial or other photographic image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type10 {
    /// 10.002, image designation character.
    pub idc: String,
    /// 10.003: `FACE`, `SCAR`, `MARK`, `TATTOO`, ...
    pub image_type: String,
    /// 10.004, source agency; empty when absent.
    pub source_agency: String,
    /// 10.005, photo capture date, YYYYMMDD; empty when absent.
    pub capture_date: String,
    /// 10.006, pixels a line.
    pub width: u32,
    /// 10.007, lines.
    pub height: u32,
    /// 10.011: `JPEGB`, `JPEGL`, `JP2`, `JP2L`, `PNG` or `NONE`.
    pub compression: String,
    /// 10.020, pose: `F` is full face frontal; empty when absent.
    pub pose: String,
    /// 10.999, the encoded image.
    pub image: Vec<u8>,
}

/// What is read of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// 1.002, version of the standard.
    pub version: String,
    /// 1.004, type of transaction.
    pub kind: String,
    /// Photographs, in the order of the file.
    pub images: Vec<Type10>,
}

/// Reads a transaction.
///
/// # Errors
/// [`ReadError`] with the byte and the field at fault.
pub fn read_type10(path: &Path) -> Result<Transaction, ReadError> {
    let bytes = std::fs::read(path).map_err(ReadError::unreadable(path))?;
    parse_type10(path, &bytes)
}

/// Reads the bytes of a transaction; `path` is for messages.
///
/// # Errors
/// As [`read_type10`].
pub fn parse_type10(path: &Path, bytes: &[u8]) -> Result<Transaction, ReadError> {
    let fault = |at: usize, field: &str, problem: String| {
        ReadError::malformed(path, Place::Byte(at as u64), field.to_owned(), problem)
    };
    let (first, mut at) = Record::read(path, bytes, 0)?;
    if first.kind != 1 {
        return Err(fault(
            0,
            "1.001",
            format!("the file begins with a record of type {}; expected 1", first.kind),
        ));
    }
    let mut transaction = Transaction { version: first.text(2), kind: first.text(4), images: Vec::new() };
    let content =
        first.field(3).ok_or_else(|| fault(0, "1.003", "the content list is missing".to_owned()))?;
    // The first subfield is about the Type-1 record itself: `1` US number of records.
    for (number, entry) in content.split(|&byte| byte == RS).skip(1).enumerate() {
        let kind = entry.split(|&byte| byte == US).next().unwrap_or_default();
        let announced: Option<u32> = std::str::from_utf8(kind).ok().and_then(|kind| kind.trim().parse().ok());
        if at >= bytes.len() {
            let problem = format!("record {} is announced, but the file ends", number + 2);
            return Err(fault(at, "1.003", problem));
        }
        match announced {
            Some(4..=8) => {
                // Binary records: their length is in the first four bytes.
                let length = bytes
                    .get(at..at + 4)
                    .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
                let end = length
                    .and_then(|length| at.checked_add(length as usize))
                    .filter(|&end| end > at + 4 && end <= bytes.len());
                at = end.ok_or_else(|| fault(at, "LEN", "the binary record is cut off".to_owned()))?;
            }
            Some(kind) => {
                let (record, next) = Record::read(path, bytes, at)?;
                if record.kind != kind {
                    let problem = format!("the record is of type {}, announced is {kind}", record.kind);
                    return Err(fault(at, "1.003", problem));
                }
                if kind == 10 {
                    transaction.images.push(record.photograph(path, at)?);
                }
                at = next;
            }
            None => {
                let problem = format!("entry {} has no record type", number + 2);
                return Err(fault(0, "1.003", problem));
            }
        }
    }
    if at != bytes.len() {
        return Err(fault(at, "1.003", "there are bytes beyond the announced records".to_owned()));
    }
    Ok(transaction)
}

/// One tagged record.
struct Record<'a> {
    kind: u32,
    fields: Vec<(u32, &'a [u8])>,
}

impl<'a> Record<'a> {
    fn read(path: &Path, bytes: &'a [u8], start: usize) -> Result<(Self, usize), ReadError> {
        let fault = |at: usize, field: &str, problem: &str| {
            ReadError::malformed(path, Place::Byte(at as u64), field.to_owned(), problem)
        };
        let rest = &bytes[start.min(bytes.len())..];
        let end = rest.iter().position(|&byte| byte == GS || byte == FS);
        let end = end.ok_or_else(|| fault(start, "LEN", "no field separator follows"))?;
        let (kind, number, value) =
            tag(&rest[..end]).ok_or_else(|| fault(start, "LEN", "expected `TT.001:length`"))?;
        let length: Option<usize> =
            std::str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
        let length = length.filter(|&length| number == 1 && length > end && length <= rest.len());
        let length = length.ok_or_else(|| {
            fault(
                start,
                &format!("{kind}.001"),
                "the record's length is missing, or beyond the end of the file",
            )
        })?;
        let record = &rest[..length];
        if record[length - 1] != FS {
            return Err(fault(
                start + length - 1,
                &format!("{kind}.001"),
                "the record does not end where its length says",
            ));
        }
        let mut fields = Vec::new();
        let mut at = 0;
        while at < length {
            let left = &record[at..];
            // The image is raw and is the last field: it ends with the record.
            let raw = tag(left).is_some_and(|(_, number, _)| number == 999);
            let end = if raw {
                left.len() - 1
            } else {
                left.iter().position(|&byte| byte == GS || byte == FS).unwrap_or(left.len())
            };
            let (of, number, value) =
                tag(&left[..end]).ok_or_else(|| fault(start + at, "tag", "expected `TT.NNN:value`"))?;
            if of != kind {
                return Err(fault(
                    start + at,
                    &format!("{of}.{number:03}"),
                    "the field is of another record type",
                ));
            }
            fields.push((number, value));
            at += end + 1;
        }
        Ok((Self { kind, fields }, start + length))
    }

    fn field(&self, number: u32) -> Option<&'a [u8]> {
        self.fields.iter().find(|field| field.0 == number).map(|field| field.1)
    }

    /// The first item of a field as text; empty when absent.
    fn text(&self, number: u32) -> String {
        let value = self.field(number).unwrap_or_default();
        let item = value.split(|&byte| byte == RS || byte == US).next().unwrap_or_default();
        String::from_utf8_lossy(item).into_owned()
    }

    fn photograph(&self, path: &Path, at: usize) -> Result<Type10, ReadError> {
        let fault = |field: u32, problem: String| {
            ReadError::malformed(path, Place::Byte(at as u64), format!("10.{field:03}"), problem)
        };
        let number = |field: u32| {
            let text = self.text(field);
            let parsed = text.trim().parse().ok().filter(|value| (1..=65_535).contains(value));
            parsed.ok_or_else(|| fault(field, format!("it is `{}`; expected pixels", shown(&text))))
        };
        let image = self.field(999).filter(|image| !image.is_empty());
        Ok(Type10 {
            idc: self.text(2),
            image_type: self.text(3),
            source_agency: self.text(4),
            capture_date: self.text(5),
            width: number(6)?,
            height: number(7)?,
            compression: self.text(11),
            pose: self.text(20),
            image: image.ok_or_else(|| fault(999, "there is no image".to_owned()))?.to_vec(),
        })
    }
}

/// `TT.NNN:value`.
fn tag(field: &[u8]) -> Option<(u32, u32, &[u8])> {
    let colon = field.iter().take(16).position(|&byte| byte == b':')?;
    let (kind, number) = std::str::from_utf8(&field[..colon]).ok()?.split_once('.')?;
    Some((kind.parse().ok()?, number.parse().ok()?, &field[colon + 1..]))
}

/// The image bytes of a file: an image file as it is; of an ANSI/NIST-ITL file the one facial photograph, frontal if there are several.
///
/// # Errors
/// [`ReadError`] when it cannot be read, or the transaction has no facial photograph.
pub fn image_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if !TYPE10_ENDINGS.contains(&ending.as_str()) {
        return std::fs::read(path).map_err(ReadError::unreadable(path));
    }
    let mut faces: Vec<Type10> =
        read_type10(path)?.images.into_iter().filter(|image| image.image_type == "FACE").collect();
    let frontal = faces.iter().position(|image| image.pose == "F").unwrap_or(0);
    if faces.is_empty() {
        return Err(ReadError::malformed(
            path,
            Place::Whole,
            "10.003",
            "no record has an image of type FACE",
        ));
    }
    Ok(faces.swap_remove(frontal).image)
}
