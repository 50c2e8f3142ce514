//! Any other matcher, as a program that answers on its standard output: one JSON object a line, one answer a request.
//!
//! Modelled on NIST's 1:N interface (`frvt1N.h`, public domain); `benches/external/README.md` is the reference for those who
//! write such a program. Return codes are NIST's names.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::algorithm::{Algorithm, Made, Role};
use super::one_to_many::Candidate;
use super::output::file_digest;
use super::record::PackRecord;

/// Longest wait for one answer.
const WAIT: Duration = Duration::from_secs(300);

/// Longest answer, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Codes that are about the image, not about the program.
const REFUSALS: [&str; 5] =
    ["RefuseInput", "ExtractError", "TemplateCreationError", "FaceDetectionError", "QualityAssessmentError"];

/// One running copy of the program.
struct Copy {
    child: Child,
    input: ChildStdin,
    answers: Receiver<std::io::Result<String>>,
}

/// An external matcher: one copy of its program per core makes templates, the first one searches.
pub struct Process {
    record: PackRecord,
    quality: Vec<String>,
    threshold: Option<f64>,
    copies: Vec<Mutex<Copy>>,
    next: AtomicUsize,
}

#[derive(Deserialize)]
struct Answer {
    code: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

impl Process {
    /// Starts the program and asks who it is.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer as it should.
    pub fn start(command: &[String]) -> anyhow::Result<Self> {
        let program =
            command.first().context("the `matcher` of the run is empty; give a program and its arguments")?;
        let copies = std::thread::available_parallelism().map_or(1, usize::from);
        let mut started = Vec::new();
        let mut first = None;
        for _ in 0..copies {
            let mut copy = Copy::start(program, &command[1..])?;
            let answer = copy.ask(&json!({ "call": "initialize" }))?;
            ensure!(answer.code == "Success", "`{program}` answers `{}` to `initialize`", answer.code);
            first.get_or_insert(answer);
            started.push(Mutex::new(copy));
        }
        let answer = first.context("no copy of the program was started")?;
        let text = |name: &str| answer.rest.get(name).and_then(Value::as_str).map(str::to_owned);
        // The file that matters is the program itself, or the script that an interpreter runs.
        let files = command.iter().map(std::path::Path::new).filter(|path| path.is_file());
        let digests: Vec<String> = files.map(file_digest).collect::<anyhow::Result<_>>()?;
        let quality = answer.rest.get("quality").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Self {
            record: PackRecord {
                name: text("name").with_context(|| format!("`{program}` does not tell its `name`"))?,
                version: text("version")
                    .with_context(|| format!("`{program}` does not tell its `version`"))?,
                space_id: None,
                digest: likeness_models::Digest::of(digests.join("\n").as_bytes()).to_string(),
                metric: None,
            },
            quality: quality.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            threshold: answer.rest.get("threshold").and_then(Value::as_f64),
            copies: started,
            next: AtomicUsize::new(0),
        })
    }

    /// Asks a copy that is free, or the next one.
    fn any(&self, request: &Value) -> anyhow::Result<Answer> {
        for copy in &self.copies {
            if let Ok(mut copy) = copy.try_lock() {
                return copy.ask(request);
            }
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.copies.len();
        self.copies[at].lock().unwrap_or_else(PoisonError::into_inner).ask(request)
    }
}

impl Copy {
    fn start(program: &str, arguments: &[String]) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        let input = child.stdin.take().context("the program has no input")?;
        let mut output = BufReader::new(child.stdout.take().context("the program has no output")?);
        let (send, answers) = sync_channel(1);
        std::thread::spawn(move || {
            loop {
                let mut line = String::new();
                let read = output.by_ref().take(MOST_BYTES).read_line(&mut line).map(|_| line);
                let ended = !matches!(&read, Ok(line) if line.ends_with('\n'));
                if send.send(read).is_err() || ended {
                    return;
                }
            }
        });
        Ok(Self { child, input, answers })
    }

    fn ask(&mut self, request: &Value) -> anyhow::Result<Answer> {
        let call = &request["call"];
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.input.write_all(&line).with_context(|| format!("the external matcher does not take {call}"))?;
        self.input.flush()?;
        let answer = self
            .answers
            .recv_timeout(WAIT)
            .with_context(|| format!("the external matcher gave no answer to {call} in {WAIT:?}"))??;
        ensure!(answer.ends_with('\n'), "the external matcher ended, or its answer to {call} is too long");
        serde_json::from_str(&answer)
            .with_context(|| format!("the answer to {call} is no JSON object with a `code`"))
    }

    fn succeed(&mut self, request: &Value) -> anyhow::Result<Answer> {
        let answer = self.ask(request)?;
        ensure!(
            answer.code == "Success",
            "the external matcher answers `{}` to {}",
            answer.code,
            request["call"]
        );
        Ok(answer)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Algorithm for Process {
    fn record(&self) -> &PackRecord {
        &self.record
    }

    fn own_threshold(&self) -> Option<f64> {
        self.threshold
    }

    fn quality_names(&self) -> Vec<String> {
        self.quality.clone()
    }

    fn make(&self, image: &[u8], face: Option<[f32; 4]>, role: Role) -> anyhow::Result<Made> {
        let role = match role {
            Role::Reference => "Enrollment_1N",
            Role::Probe => "Search_1N",
        };
        let request =
            json!({ "call": "create_template", "role": role, "image": STANDARD.encode(image), "face": face });
        let answer = self.any(&request)?;
        if REFUSALS.contains(&answer.code.as_str()) {
            return Ok(Made { template: Err(answer.code), quality: Vec::new() });
        }
        ensure!(
            answer.code == "Success",
            "the external matcher answers `{}` to create_template",
            answer.code
        );
        let template =
            answer.rest.get("template").and_then(Value::as_str).context("`template` is missing")?;
        let quality = answer.rest.get("quality").and_then(Value::as_array).cloned().unwrap_or_default();
        let quality: Vec<u8> =
            quality.iter().filter_map(Value::as_u64).filter_map(|value| u8::try_from(value).ok()).collect();
        ensure!(
            quality.is_empty() || quality.len() == self.quality.len(),
            "create_template gives {} quality values; initialize named {}",
            quality.len(),
            self.quality.len()
        );
        Ok(Made { template: Ok(STANDARD.decode(template).context("`template` is no base64")?), quality })
    }

    fn compare(&self, probe: &[u8], reference: &[u8]) -> anyhow::Result<f64> {
        let answer = self.any(&json!({
            "call": "match_templates", "probe": STANDARD.encode(probe), "reference": STANDARD.encode(reference),
        }))?;
        ensure!(
            answer.code == "Success",
            "the external matcher answers `{}` to match_templates",
            answer.code
        );
        finite(answer.rest.get("similarity"))
    }

    fn search(
        &self,
        added: &[(u32, Vec<u8>)],
        probes: &[Option<Vec<u8>>],
        limit: usize,
        done: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<Vec<Vec<Candidate>>> {
        let mut searcher = self.copies[0].lock().unwrap_or_else(PoisonError::into_inner);
        for (subject, template) in added {
            let insert = json!({ "call": "gallery_insert_id", "id": subject.to_string(), "template": STANDARD.encode(template) });
            searcher.succeed(&insert)?;
        }
        searcher.succeed(&json!({ "call": "finalize_enrollment", "gallery_type": "Consolidated" }))?;
        let mut lists = Vec::with_capacity(probes.len());
        for probe in probes {
            done(1);
            let Some(probe) = probe else {
                lists.push(Vec::new());
                continue;
            };
            let answer = searcher.succeed(&json!({
                "call": "identify_template", "template": STANDARD.encode(probe), "candidate_list_length": limit,
            }))?;
            let Some(Value::Array(candidates)) = answer.rest.get("candidates") else {
                bail!("`candidates` is missing in the answer to identify_template");
            };
            let one = |candidate: &Value| -> anyhow::Result<Candidate> {
                let id = candidate["id"].as_str().and_then(|id| id.parse().ok());
                let subject = id.context("a candidate has an `id` that was never inserted")?;
                Ok(Candidate { subject, score: finite(candidate.get("similarity"))? })
            };
            lists.push(candidates.iter().take(limit).map(one).collect::<anyhow::Result<_>>()?);
        }
        Ok(lists)
    }
}

fn finite(value: Option<&Value>) -> anyhow::Result<f64> {
    value
        .and_then(Value::as_f64)
        .filter(|value| value.is_finite())
        .context("`similarity` is no finite number")
}
