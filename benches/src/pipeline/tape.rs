//! What the pipeline asks of its networks, written down.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use likeness_matcher::pipeline::Models;
use likeness_matcher::runtime::{Inference, Output, PoolSize, Side, Tensor};
use likeness_matcher::{Fault, Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::Pack;

/// One run of a network: 0 the detector, 1 the landmarks, 2 the embedder.
pub(super) struct Asked {
    pub(super) network: u8,
    pub(super) input: Tensor,
}

/// The accepted images, and for each what was asked.
pub(super) struct Recorded {
    pub(super) accepted: Vec<Vec<u8>>,
    pub(super) asked: Vec<Vec<Asked>>,
}

/// Passes everything on and writes it down.
struct Recorder {
    network: u8,
    inner: Arc<dyn Inference>,
    tape: Arc<Mutex<Vec<Asked>>>,
}

impl Inference for Recorder {
    fn input(&self) -> &[Side] {
        self.inner.input()
    }

    fn run(&self, input: &Tensor) -> Result<Vec<Output>, Fault> {
        let asked = Asked { network: self.network, input: input.clone() };
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        self.inner.run(input)
    }
}

/// Analyses each image once. Images that are refused are left out.
pub(super) fn record(pack: &Pack, library: &Path, images: &[Vec<u8>]) -> anyhow::Result<Recorded> {
    let options = MatcherOptions { sessions: 1, ..MatcherOptions::default() };
    let size = PoolSize { sessions: 1, queue: options.queue, wait: options.wait };
    let models = Models::load(pack, library, size)?;
    let tape = Arc::new(Mutex::new(Vec::new()));
    let recorder = |network: u8, inner: Arc<dyn Inference>| -> Arc<dyn Inference> {
        Arc::new(Recorder { network, inner, tape: tape.clone() })
    };
    let models = Models {
        detector: recorder(0, models.detector),
        landmarks: models.landmarks.map(|network| recorder(1, network)),
        embedder: recorder(2, models.embedder),
    };
    let matcher = Matcher::with_models(pack.manifest(), models, &options)?;
    let taken = || std::mem::take(&mut *tape.lock().unwrap_or_else(PoisonError::into_inner));
    // Opening runs each network once to look at it.
    taken();
    let mut recorded = Recorded { accepted: Vec::new(), asked: Vec::new() };
    for image in images {
        let analysed = matcher.analyse(image, &Selection::Largest, &QualityPolicy::default());
        let asked = taken();
        if analysed.is_ok() {
            recorded.accepted.push(image.clone());
            recorded.asked.push(asked);
        }
    }
    Ok(recorded)
}

impl Recorded {
    pub(super) fn runs(&self) -> usize {
        self.asked.iter().map(Vec::len).sum()
    }

    /// Writes what was asked, image by image.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        put(&mut file, self.asked.len())?;
        for asked in &self.asked {
            put(&mut file, asked.len())?;
            for Asked { network, input } in asked {
                file.write_all(&[*network])?;
                put(&mut file, input.shape().len())?;
                for &side in input.shape() {
                    put(&mut file, side)?;
                }
                for value in input.values() {
                    file.write_all(&value.to_le_bytes())?;
                }
            }
        }
        Ok(file.flush()?)
    }
}

/// Reads what [`Recorded::write`] wrote: for each image, what was asked.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Vec<Asked>>> {
    let mut file = BufReader::new(File::open(path).context("cannot read the recorded tensors")?);
    let images = get(&mut file)?;
    (0..images)
        .map(|_| {
            let runs = get(&mut file)?;
            (0..runs).map(|_| one(&mut file)).collect()
        })
        .collect()
}

fn one(file: &mut BufReader<File>) -> anyhow::Result<Asked> {
    let mut network = [0];
    file.read_exact(&mut network)?;
    ensure!(network[0] < 3, "the recorded tensors are damaged");
    let sides = get(file)?;
    let shape: Vec<usize> = (0..sides).map(|_| get(file)).collect::<Result<_, _>>()?;
    let mut bytes = vec![0; shape.iter().product::<usize>() * 4];
    file.read_exact(&mut bytes)?;
    let values = bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let input = Tensor::new(shape, values).context("the recorded tensors are damaged")?;
    Ok(Asked { network: network[0], input })
}

fn put(file: &mut BufWriter<File>, number: usize) -> anyhow::Result<()> {
    Ok(file.write_all(&u32::try_from(number)?.to_le_bytes())?)
}

fn get(file: &mut BufReader<File>) -> anyhow::Result<usize> {
    let mut number = [0; 4];
    file.read_exact(&mut number)?;
    Ok(u32::from_le_bytes(number) as usize)
}
