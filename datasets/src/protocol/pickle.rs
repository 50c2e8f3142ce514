//! InsightFace-style `.bin` pair sets: a pickled tuple of a list of encoded images and a list of labels, two images a label.
//!
//! Only what such files hold is understood: lists, tuples, byte strings, booleans and small numbers. A pickle can name code to
//! run; an opcode that would is refused, never followed.
use std::path::Path;
use std::sync::Arc;

use super::{Image, Protocol, Side, Source, Trial};
use crate::malformed::{Place, ReadError};

/// Largest file: the sets in use have 12,000 to 14,000 small images.
const MOST_BYTES: u64 = 1 << 30;

/// Most values on the stack.
const MOST_VALUES: usize = 2_000_000;

#[derive(Clone)]
enum Value {
    Mark,
    Bytes(usize, usize),
    Flag(bool),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Other,
}

struct Machine<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
}

pub(super) fn read(path: &Path) -> Result<Protocol, ReadError> {
    let size = std::fs::metadata(path).map_err(ReadError::unreadable(path))?.len();
    if size > MOST_BYTES {
        let problem = format!("it has {size} bytes; at most {MOST_BYTES} are read");
        return Err(ReadError::malformed(path, Place::Whole, "size", problem));
    }
    let bytes = std::fs::read(path).map_err(ReadError::unreadable(path))?;
    parse(path, &bytes)
}

/// Reads the bytes of such a file.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Protocol, ReadError> {
    let mut machine = Machine { path, bytes, at: 0, stack: Vec::new() };
    let top = machine.run()?;
    let fault =
        |field: &str, problem: String| ReadError::malformed(path, Place::Whole, field.to_owned(), problem);
    let parts = match top {
        Value::Tuple(parts) | Value::List(parts) => parts,
        _ => return Err(fault("content", "it is no pair of images and labels".to_owned())),
    };
    let [Value::List(images), Value::List(labels)] = parts.as_slice() else {
        return Err(fault("content", "expected two lists: images and labels".to_owned()));
    };
    if images.len() != labels.len() * 2 {
        let problem =
            format!("there are {} images for {} labels; expected two a label", images.len(), labels.len());
        return Err(fault("labels", problem));
    }
    let mut protocol = Protocol::default();
    for (number, image) in (0_u32..).zip(images) {
        let Value::Bytes(from, to) = image else {
            let problem = format!(
                "image {number} is no byte string (arrays of numbers are not read: encode the images)"
            );
            return Err(fault("images", problem));
        };
        let name = format!("image-{number:06}");
        let source = Source::Bytes(Arc::from(&bytes[*from..*to]));
        protocol.images.push(Image { name: name.clone(), source, face: None });
        protocol.sides.push(Side { name, subject: None, labels: Vec::new(), images: vec![number] });
    }
    for (number, label) in (0_u32..).zip(labels) {
        let Value::Flag(mated) = label else {
            return Err(fault("labels", format!("label {number} is neither true nor false")));
        };
        protocol.trials.push(Trial { one: number * 2, other: number * 2 + 1, mated: *mated, fold: 0 });
    }
    Ok(protocol)
}

impl Machine<'_> {
    fn fault(&self, problem: impl Into<String>) -> ReadError {
        ReadError::malformed(self.path, Place::Byte(self.at as u64), "pickle opcode", problem)
    }

    fn take(&mut self, count: usize) -> Result<(usize, usize), ReadError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return Err(self.fault("the file is cut off")) };
        let from = std::mem::replace(&mut self.at, end);
        Ok((from, end))
    }

    fn number(&mut self, width: usize) -> Result<usize, ReadError> {
        let (from, to) = self.take(width)?;
        let value = self.bytes[from..to].iter().rev().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        usize::try_from(value).map_err(|_| self.fault("a length is out of range"))
    }

    fn pop(&mut self) -> Result<Value, ReadError> {
        self.stack.pop().ok_or_else(|| self.fault("a value is missing"))
    }

    /// Everything above the last mark, and the mark gone.
    fn since_mark(&mut self) -> Result<Vec<Value>, ReadError> {
        let at = self.stack.iter().rposition(|value| matches!(value, Value::Mark));
        let at = at.ok_or_else(|| self.fault("a mark is missing"))?;
        let values = self.stack.split_off(at + 1);
        self.stack.pop();
        Ok(values)
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), ReadError> {
        match self.stack.last_mut() {
            Some(Value::List(list)) => {
                list.extend(values);
                Ok(())
            }
            _ => Err(self.fault("an item is added to what is no list")),
        }
    }

    fn run(&mut self) -> Result<Value, ReadError> {
        loop {
            let (from, _) = self.take(1)?;
            match self.bytes[from] {
                0x80 => drop(self.take(1)?), // protocol
                0x95 => drop(self.take(8)?), // frame
                b'q' => drop(self.take(1)?), // memo
                b'r' => drop(self.take(4)?), // memo
                0x94 => {}                   // memo
                b'(' => self.stack.push(Value::Mark),
                b']' => self.stack.push(Value::List(Vec::new())),
                b')' => self.stack.push(Value::Tuple(Vec::new())),
                0x88 => self.stack.push(Value::Flag(true)),
                0x89 => self.stack.push(Value::Flag(false)),
                b'N' => self.stack.push(Value::Other),
                b'K' => self.flag(1)?,
                b'M' => self.flag(2)?,
                b'J' => self.flag(4)?,
                b'U' | b'C' => self.text(1)?,
                b'T' | b'B' => self.text(4)?,
                0x8e => self.text(8)?,
                b'a' => {
                    let value = self.pop()?;
                    self.append(vec![value])?;
                }
                b'e' => {
                    let values = self.since_mark()?;
                    self.append(values)?;
                }
                b'l' => {
                    let values = self.since_mark()?;
                    self.stack.push(Value::List(values));
                }
                b't' => {
                    let values = self.since_mark()?;
                    self.stack.push(Value::Tuple(values));
                }
                0x86 => {
                    let (second, first) = (self.pop()?, self.pop()?);
                    self.stack.push(Value::Tuple(vec![first, second]));
                }
                b'.' => return self.pop(),
                other => {
                    self.at = from;
                    return Err(self.fault(format!(
                        "0x{other:02x} is none that a pair set of encoded images needs; nothing in the file is run"
                    )));
                }
            }
            if self.stack.len() > MOST_VALUES {
                return Err(self.fault("there are too many values"));
            }
        }
    }

    /// Zero and one are how some writers spell labels.
    fn flag(&mut self, width: usize) -> Result<(), ReadError> {
        let value = match self.number(width)? {
            0 => Value::Flag(false),
            1 => Value::Flag(true),
            _ => Value::Other,
        };
        self.stack.push(value);
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), ReadError> {
        let length = self.number(width)?;
        let (from, to) = self.take(length)?;
        self.stack.push(Value::Bytes(from, to));
        Ok(())
    }
}
