//! BEE and OpenBR signature sets: `<biometric-signature name="subject"><presentation file-name="..." .../></biometric-signature>`, also
//! with `complex-biometric-signature` and nested `data` elements. File names are relative to the sigset.
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};

use crate::malformed::{Place, ReadError, shown};
use crate::people::{People, PersonImage};

/// Largest file.
const MOST_BYTES: u64 = 256 << 20;

/// Reads a sigset.
///
/// # Errors
/// [`ReadError`] with file, line and field.
pub fn read_sigset(path: &Path) -> Result<People, ReadError> {
    let size = std::fs::metadata(path).map_err(ReadError::unreadable(path))?.len();
    if size > MOST_BYTES {
        let problem = format!("it has {size} bytes; at most {MOST_BYTES} are read");
        return Err(ReadError::malformed(path, Place::Whole, "size", problem));
    }
    let text = crate::malformed::text(path)?;
    parse(path, &text)
}

/// Reads the text of a sigset.
pub(crate) fn parse(path: &Path, text: &str) -> Result<People, ReadError> {
    // No document type: entities that expand without end are not accepted.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 20_000_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let line = Place::Line(u64::from(error.pos().row));
        ReadError::malformed(path, line, "XML", shown(&error.to_string()))
    })?;
    let line = |node: &Node<'_, '_>| Place::Line(u64::from(document.text_pos_at(node.range().start).row));
    let root = document.root_element();
    if root.tag_name().name() != "biometric-signature-set" {
        let problem =
            format!("it is `{}`; expected `biometric-signature-set`", shown(root.tag_name().name()));
        return Err(ReadError::malformed(path, line(&root), "root element", problem));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut people = People::default();
    for signature in root.children().filter(Node::is_element) {
        let name = signature.tag_name().name();
        if name != "biometric-signature" && name != "complex-biometric-signature" {
            let problem = format!("`{}` is not expected here", shown(name));
            return Err(ReadError::malformed(path, line(&signature), "element", problem));
        }
        let Some(subject) = signature.attribute("name").filter(|subject| !subject.is_empty()) else {
            return Err(ReadError::malformed(path, line(&signature), "`name`", "the signature has no name"));
        };
        let before = people.images.len();
        for node in signature.descendants().filter(Node::is_element) {
            let Some(file) = node.attribute("file-name") else { continue };
            if file.is_empty() {
                return Err(ReadError::malformed(path, line(&node), "`file-name`", "it is empty"));
            }
            people.images.push(PersonImage {
                subject: subject.to_owned(),
                name: file.to_owned(),
                path: folder.join(file),
                labels: Vec::new(),
                circumstance: None,
            });
        }
        if people.images.len() == before {
            let problem = format!("`{}` has no presentation with a `file-name`", shown(subject));
            return Err(ReadError::malformed(path, line(&signature), "`file-name`", problem));
        }
    }
    if people.images.is_empty() {
        return Err(ReadError::malformed(path, Place::Whole, "signatures", "there are none"));
    }
    Ok(people)
}
