//! The retention rules in force: a file of the site, or the one the program came with. Every version that was ever in force stays
//! beside it, so that a past decision can be explained (R36).
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use super::{Service, begin};
use crate::{
    audit::{Change, Content, Outcome, Phase, Submission},
    authorise::{Action, Place},
    durable::{self, FileError},
    retention::{RuleError, RuleSet},
    service::{Answer, Asked, Refusal, RefusalKind, Rendered, Unanswered},
};

const ACTIVE: &str = "active.toml";
/// Longest rule file that is read: the engine's own bound is lower.
const MOST_BYTES: usize = 1024 * 1024;

/// Why the rules cannot be used. The service does not start then.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file holds no valid rules.
    #[error("the retention rules in `{}` are not valid: {why}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        why: Box<RuleError>,
    },
}

/// One version of the rules.
#[derive(Debug)]
pub(in crate::service) struct Rules {
    pub(in crate::service) set: RuleSet,
    /// SHA-256 of its text, hex.
    pub(in crate::service) digest: String,
}

impl Rules {
    fn of(set: RuleSet) -> Rules {
        Rules { digest: hex::encode(set.digest()), set }
    }
}

/// The version in force, and the folder with all that were.
#[derive(Debug)]
pub(in crate::service) struct ActiveRules {
    folder: PathBuf,
    now: RwLock<Arc<Rules>>,
}

impl ActiveRules {
    /// Opens the folder, making it when there is none.
    pub(in crate::service) fn open(folder: &Path) -> Result<Self, RulesError> {
        durable::create_dir(folder)?;
        durable::check_private(folder, 0o700)?;
        let path = folder.join(ACTIVE);
        let set = if path.exists() {
            read(&path)?
        } else {
            RuleSet::shipped().map_err(|why| RulesError::Rules { path, why: Box::new(why) })?
        };
        let active = ActiveRules { folder: folder.to_owned(), now: RwLock::new(Arc::new(Rules::of(set))) };
        active.keep(&active.now())?;
        Ok(active)
    }

    pub(in crate::service) fn now(&self) -> Arc<Rules> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A version that was in force at some time.
    pub(in crate::service) fn version(&self, digest: &str) -> Result<Option<Arc<Rules>>, RulesError> {
        let now = self.now();
        if digest.is_empty() || digest == now.digest {
            return Ok(Some(now));
        }
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let path = self.kept(digest);
        if path.exists() { Ok(Some(Arc::new(Rules::of(read(&path)?)))) } else { Ok(None) }
    }

    fn kept(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("rules-{digest}.toml"))
    }

    fn keep(&self, rules: &Rules) -> Result<(), FileError> {
        let path = self.kept(&rules.digest);
        if path.exists() { Ok(()) } else { durable::create_file(&path, rules.set.text().as_bytes()) }
    }

    /// Puts other rules in force, durably.
    fn activate(&self, rules: Arc<Rules>) -> Result<(), FileError> {
        self.keep(&rules)?;
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        durable::replace_file(&self.folder.join(ACTIVE), rules.set.text().as_bytes())?;
        *now = rules;
        Ok(())
    }
}

fn read(path: &Path) -> Result<RuleSet, RulesError> {
    let text = fs::read_to_string(path)
        .map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?;
    RuleSet::parse(&text).map_err(|why| RulesError::Rules { path: path.to_owned(), why: Box::new(why) })
}

/// Rules as they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesAnswer {
    /// SHA-256 of the text, hex.
    pub digest: String,
    /// The version, as the file names it.
    pub version: String,
    /// The file.
    pub text: String,
    /// The same for people, in Markdown (R76).
    pub rendered: String,
    /// Whether they are in force.
    pub active: bool,
}

impl RulesAnswer {
    fn of(rules: &Rules, active: bool) -> Self {
        RulesAnswer {
            digest: rules.digest.clone(),
            version: rules.set.version().to_owned(),
            text: rules.set.text().to_owned(),
            rendered: rules.set.render(),
            active,
        }
    }
}

impl Service {
    /// Shows the rules in force, or a version that was in force before.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn retention_rules<M>(
        &self,
        asked: Asked,
        digest: &str,
        render: impl FnOnce(&RulesAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetentionRules, asked);
        let settled = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            case.admit_elsewhere(&caller, Place::Service, &context)?;
            let found = self.rules.version(digest).map_err(|error| Refusal::fault("rules", &error))?;
            found.ok_or_else(|| {
                Refusal::new(
                    RefusalKind::NotFound,
                    "no_such_rules",
                    "no rules with this digest were ever in force here; leave it out for those in force now",
                )
            })
        });
        match settled {
            Ok(rules) => {
                let active = rules.digest == self.rules.now().digest;
                let entry = case.entry(Phase::Single, None, None);
                let rendered = render(&RulesAnswer::of(&rules, active));
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    /// Puts other rules in force. What they make of each record is looked at soon after, and was to be seen before in a
    /// simulation.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn activate_rules<M>(
        &self,
        asked: Asked,
        text: &str,
        render: impl FnOnce(&RulesAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ChangeRetentionRules, asked);
        let settled = case.introduce_person(token.as_deref()).and_then(|(caller, _, context)| {
            case.admit_elsewhere(&caller, Place::Service, &context)?;
            let rules = self.proposed(text)?;
            let from = rules.set.effective_from();
            if from > self.today() {
                return Err(Refusal::invalid(
                    "rules_not_effective",
                    format!("these rules take effect on {from}; activate them then, or simulate them now"),
                ));
            }
            Ok(rules)
        });
        let rules = match settled {
            Ok(rules) => rules,
            Err(refusal) => return Err(case.refuse(None, refusal)),
        };
        let mut intent = case.entry(Phase::Intent, None, None);
        let before = self.rules.now();
        intent.changes.insert(
            "retention_rules".to_owned(),
            Change { before: Some(before.digest.clone()), after: Some(rules.digest.clone()) },
        );
        intent.notes.insert("version".to_owned(), rules.set.version().to_owned());
        self.record_one(Submission::from(intent.clone()))?;
        if let Err(error) = self.rules.activate(Arc::clone(&rules)) {
            return Err(case.fail(&intent, Refusal::fault("rules", &error)));
        }
        self.wake_retention();
        let rendered = render(&RulesAnswer::of(&rules, true));
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Rules that somebody sent.
    pub(super) fn proposed(&self, text: &str) -> Result<Arc<Rules>, Refusal> {
        if text.is_empty() {
            return Err(Refusal::invalid("missing_field", "missing: `rules`"));
        }
        if text.len() > MOST_BYTES {
            return Err(Refusal::invalid("invalid_rules", "the rule file is longer than 1 MiB"));
        }
        let set =
            RuleSet::parse(text).map_err(|error| Refusal::invalid("invalid_rules", error.to_string()))?;
        Ok(Arc::new(Rules::of(set)))
    }
}
