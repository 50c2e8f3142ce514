//! Ready-made templates: `NAME.npy`, an array of `f32` with one row a template as NumPy writes it, and beside it
//! `NAME.csv` with a `subject` column, one row a template (and `attr.X` columns for labels).
//!
//! Rows are read when they are needed: the file may be larger than memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// Bytes before the length of the header.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Largest header.
const MOST_HEADER: usize = 1 << 16;

/// An open template file.
#[derive(Debug)]
pub struct TemplateFile {
    file: File,
    start: u64,
    /// Templates.
    pub rows: usize,
    /// Values of each.
    pub dimension: usize,
    /// Names of subjects.
    pub subjects: Vec<String>,
    /// Number of the subject of each row.
    pub of_row: Vec<u32>,
    /// Names of attributes.
    pub attributes: Vec<String>,
    /// Labels of each subject: those of its first row.
    pub labels: Vec<Vec<String>>,
}

impl TemplateFile {
    /// Opens the array and reads the labels.
    ///
    /// # Errors
    /// With the file and what is wrong in it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
        let mut head = [0; 10];
        file.read_exact(&mut head).with_context(|| format!("`{shown}` is shorter than a NumPy header"))?;
        ensure!(head.starts_with(MAGIC), "`{shown}` is no NumPy array: its first bytes are others");
        let mut start = 10;
        let length = match head[6] {
            1 => usize::from(u16::from_le_bytes([head[8], head[9]])),
            2 | 3 => {
                let mut more = [0; 2];
                file.read_exact(&mut more)?;
                start = 12;
                u32::from_le_bytes([head[8], head[9], more[0], more[1]]) as usize
            }
            other => bail!("`{shown}` has NumPy format {other}; versions 1 to 3 are read"),
        };
        ensure!(
            length <= MOST_HEADER,
            "`{shown}` has a header of {length} bytes; at most {MOST_HEADER} are read"
        );
        let mut header = vec![0; length];
        file.read_exact(&mut header).with_context(|| format!("`{shown}` ends in its header"))?;
        let header =
            String::from_utf8(header).with_context(|| format!("the header of `{shown}` is no text"))?;
        ensure!(
            header.contains("'<f4'"),
            "`{shown}`, field `descr`: expected '<f4' (32-bit floats); it is {header}"
        );
        ensure!(
            header.contains("'fortran_order': False"),
            "`{shown}`, field `fortran_order`: expected False; save with numpy.ascontiguousarray"
        );
        let shape = header
            .split_once("'shape': (")
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(shape, _)| shape);
        let shape: Option<Vec<usize>> = shape.map(|shape| {
            shape
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .filter_map(|part| part.parse().ok())
                .collect()
        });
        let Some([rows, dimension]) = shape.as_deref() else {
            bail!("`{shown}`, field `shape`: expected (templates, values); it is {header}");
        };
        let (rows, dimension) = (*rows, *dimension);
        let start = (start + length) as u64;
        let wanted = (rows as u64).checked_mul(dimension as u64).and_then(|values| values.checked_mul(4));
        let found = file.metadata()?.len();
        ensure!(
            dimension > 0 && wanted.and_then(|wanted| wanted.checked_add(start)) == Some(found),
            "`{shown}` has {found} bytes, which is not what {rows} templates of {dimension} values take"
        );
        let mut opened = Self {
            file,
            start,
            rows,
            dimension,
            subjects: Vec::new(),
            of_row: Vec::with_capacity(rows),
            attributes: Vec::new(),
            labels: Vec::new(),
        };
        opened.read_labels(&path.with_extension("csv"))?;
        Ok(opened)
    }

    fn read_labels(&mut self, path: &Path) -> anyhow::Result<()> {
        let shown = path.display();
        let mut reader = csv::Reader::from_path(path).with_context(|| format!("cannot read `{shown}`"))?;
        let header = reader.headers()?.clone();
        let subject = header.iter().position(|column| column == "subject");
        let subject =
            subject.with_context(|| format!("`{shown}` line 1, `subject`: the column is missing"))?;
        let attributes: Vec<(usize, String)> = header
            .iter()
            .enumerate()
            .filter_map(|(at, column)| Some((at, column.strip_prefix("attr.")?.to_owned())))
            .collect();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).with_context(|| format!("`{shown}` is malformed"))? {
            let name = record.get(subject).unwrap_or_default();
            ensure!(!name.is_empty(), "`{shown}` line {}, `subject`: it is empty", self.of_row.len() + 2);
            let number = match known.get(name) {
                Some(&number) => number,
                None => {
                    let number = u32::try_from(known.len())?;
                    known.insert(name.to_owned(), number);
                    self.subjects.push(name.to_owned());
                    let label = |(at, _): &(usize, String)| record.get(*at).unwrap_or_default().to_owned();
                    self.labels.push(attributes.iter().map(label).collect());
                    number
                }
            };
            self.of_row.push(number);
        }
        self.attributes = attributes.into_iter().map(|(_, name)| name).collect();
        ensure!(
            self.of_row.len() == self.rows,
            "`{shown}` has {} rows for {} templates",
            self.of_row.len(),
            self.rows
        );
        Ok(())
    }

    /// The bytes of one template.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template(&self, row: usize) -> anyhow::Result<Vec<u8>> {
        let mut bytes = vec![0; self.dimension * 4];
        let at = self.start + (row as u64) * bytes.len() as u64;
        self.file.read_exact_at(&mut bytes, at).context("a template cannot be read from its file")?;
        Ok(bytes)
    }
}

/// Writes a template file and its labels, row by row.
pub struct TemplateWriter {
    array: BufWriter<File>,
    labels: BufWriter<File>,
    left: usize,
}

impl TemplateWriter {
    /// Begins `NAME.npy` and `NAME.csv`.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn create(path: &Path, rows: usize, dimension: usize) -> anyhow::Result<Self> {
        let make =
            |path: &Path| File::create(path).with_context(|| format!("cannot write `{}`", path.display()));
        let mut array = BufWriter::with_capacity(1 << 20, make(path)?);
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
        // The whole header is a multiple of 64 bytes and ends with a line feed, as NumPy has it.
        let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
        array.write_all(MAGIC)?;
        array.write_all(&[1, 0])?;
        array.write_all(&u16::try_from(length)?.to_le_bytes())?;
        writeln!(array, "{text:<width$}", width = length - 1)?;
        let mut labels = BufWriter::new(make(&path.with_extension("csv"))?);
        labels.write_all(b"subject\n")?;
        Ok(Self { array, labels, left: rows })
    }

    /// Adds a template.
    ///
    /// # Errors
    /// When the disk is full, or there are more templates than announced.
    pub fn push(&mut self, subject: &str, values: &[f32]) -> anyhow::Result<()> {
        self.left = self.left.checked_sub(1).context("more templates than were announced")?;
        self.array.write_all(&super::algorithm::bytes(values))?;
        writeln!(self.labels, "{subject}")?;
        Ok(())
    }

    /// Ends both files.
    ///
    /// # Errors
    /// When the disk is full, or templates are missing.
    pub fn finish(mut self) -> anyhow::Result<()> {
        ensure!(self.left == 0, "{} announced templates are missing", self.left);
        self.array.flush()?;
        self.labels.flush()?;
        Ok(())
    }
}
