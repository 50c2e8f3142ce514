//! Where results go: standard output for results, standard error for everything said about them.

use std::{
    fs::{File, Permissions},
    io::{self, Write as _},
    path::Path,
};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::Value;

use super::failure::Failure;

/// Writes a line to standard output. A reader that went away (`| head`) is not an error.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::fault(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Writes a JSON value to standard output.
pub fn json(value: &Value) -> Result<(), Failure> {
    line(&format!("{value:#}"))
}

/// Says something on standard error; a closed standard error is nobody to tell.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Header, rule, rows, and no boxes, so that a table copies into a note unharmed.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table in the house style; print it with `trim_fmt`.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table
}

/// Writes `bytes` to `path`, readable by its owner only, whole or not at all.
pub fn private_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::fault(format!("cannot write `{}`: {error}", path.display()));
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // `tempfile` makes the file with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Opens `path` for writing from the start, readable by its owner only.
pub fn private_writer(path: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |error: io::Error| Failure::fault(format!("cannot write `{}`: {error}", path.display()));
    let file = File::create(path).map_err(failed)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn files_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for (name, write) in [("a", true), ("b", false)] {
            let path = folder.path().join(name);
            if write {
                private_file(&path, b"x").unwrap()
            } else {
                drop(private_writer(&path).unwrap())
            }
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
