//! Looking a policy set over: what nobody needs, what nobody reviewed, what leans on a red line, and what differs from the
//! matrix that people agreed on.
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::PolicySet;
use jiff::civil::Date;
use thiserror::Error;

use super::{
    Authoriser, PolicyError,
    matrix::{Breach, Cell, Matrix, MatrixError, Stage},
    probes,
};
/// Most differing cells that are told one by one.
const MOST_TOLD: usize = 20;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code: `unused`, `shadowed`, `red_line_overlap`, `no_basis`, `no_review`, `review_date`, `review_overdue`,
    /// `unknown_word`, `schema`, `differs`.
    pub code: &'static str,
    /// The policy; none when it is about the whole set.
    pub policy: Option<String>,
    /// What it is and what to do.
    pub message: String,
}

/// What a look over a policy set found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which policy set.
    pub policy_set: String,
    /// Policies in it.
    pub policies: usize,
    /// Cells of the matrix that were asked about.
    pub cells: usize,
    /// How many of them are allowed.
    pub allowed: usize,
    /// What to look at, by policy.
    pub findings: Vec<Finding>,
}

/// Why a policy set cannot be looked over.
#[derive(Debug, Error)]
pub enum LintError {
    /// The policies.
    #[error(transparent)]
    Policies(#[from] PolicyError),
    /// The matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}

/// What a walk over the matrix saw.
struct Walked {
    cells: usize,
    allowed: Vec<Cell>,
    /// For each allowed cell, the policies that permit it.
    permits: Vec<Vec<String>>,
    /// Policies that forbade something.
    forbids: BTreeSet<String>,
    differs: Vec<String>,
}

/// Looks a policy set over, as of `today`.
///
/// # Errors
/// [`LintError`] when the built-in matrix cannot be read, which a test rules out.
pub fn lint(authoriser: &Authoriser, today: Date) -> Result<Report, LintError> {
    let matrix = Matrix::built_in(authoriser.purposes())?;
    let mut walked = walk(authoriser, &matrix)?;
    walk_breaches(authoriser, &mut walked)?;
    let mut findings = documents(authoriser, today);
    findings.extend(words(authoriser));
    findings.extend(weights(authoriser, &walked)?);
    findings.extend(overlaps(authoriser)?);
    findings.extend(authoriser.warnings().iter().map(|warning| Finding {
        code: "schema",
        policy: None,
        message: warning.clone(),
    }));
    let told = walked.differs.len().min(MOST_TOLD);
    findings.extend(walked.differs[..told].iter().map(|message| Finding {
        code: "differs",
        policy: None,
        message: message.clone(),
    }));
    if walked.differs.len() > told {
        let more = walked.differs.len() - told;
        let message = format!("and {more} more cells differ from the reviewed matrix");
        findings.push(Finding { code: "differs", policy: None, message });
    }
    findings.sort_by(|left, right| (&left.policy, left.code).cmp(&(&right.policy, right.code)));
    Ok(Report {
        policy_set: authoriser.digest().to_owned(),
        policies: authoriser.described().len(),
        cells: walked.cells,
        allowed: walked.allowed.len(),
        findings,
    })
}

fn walk(authoriser: &Authoriser, matrix: &Matrix) -> Result<Walked, PolicyError> {
    let mut walked = Walked {
        cells: 0,
        allowed: Vec::new(),
        permits: Vec::new(),
        forbids: BTreeSet::new(),
        differs: Vec::new(),
    };
    matrix.walk(authoriser, |cell, decision, expected| {
        walked.cells += 1;
        if decision.allowed {
            walked.allowed.push(cell.clone());
            walked.permits.push(decision.policies.clone());
        } else {
            walked.forbids.extend(decision.policies.iter().cloned());
        }
        if decision.allowed != expected {
            let (is, should) = if decision.allowed { ("allowed", "deny") } else { ("denied", "allow") };
            walked.differs.push(format!("{cell} is {is}; the reviewed matrix says {should}"));
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(walked)
}

/// Each allowed cell once more with each thing not as it should be: the policies that then forbid are in use.
fn walk_breaches(authoriser: &Authoriser, walked: &mut Walked) -> Result<(), PolicyError> {
    let stage = Stage::new(authoriser.purposes())?;
    for cell in &walked.allowed {
        let operational = authoriser.purposes().is_operational(&cell.purpose);
        for breach in Breach::ALL.into_iter().filter(|breach| breach.concerns(cell, operational)) {
            let decision = stage.ask(cell, Some(breach), |question| authoriser.decide(question));
            if !decision.allowed {
                walked.forbids.extend(decision.policies);
            }
        }
    }
    Ok(())
}

/// What policies say about themselves.
fn documents(authoriser: &Authoriser, today: Date) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, about) in authoriser.described() {
        let mut say = |code, message: String| {
            findings.push(Finding { code, policy: Some(id.clone()), message });
        };
        if about.basis.as_ref().is_none_or(|basis| basis.trim().is_empty()) {
            say("no_basis", "says nothing about what it stands on; add `@basis(\"...\")`".to_owned());
        }
        match &about.review {
            None => say(
                "no_review",
                "has no review date; add `@review(\"2027-11-30\")`, the day by which it is looked at again"
                    .to_owned(),
            ),
            Some(Err(text)) => {
                say("review_date", format!("`@review(\"{text}\")` is not a date such as 2027-11-30"))
            }
            Some(Ok(due)) if *due <= today => {
                say("review_overdue", format!("was to be reviewed by {due}; review it and move the date"));
            }
            Some(Ok(_)) => {}
        }
    }
    findings
}

/// Quoted words that nothing in the service uses: a typing error in a policy is a policy that never applies.
fn words(authoriser: &Authoriser) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, texts) in probes::unknown_words(authoriser) {
        for text in texts {
            findings.push(Finding {
                code: "unknown_word",
                policy: Some(id.clone()),
                message: format!(
                    "names `{text}`, which is no purpose, kind of pool, origin or role; right only if it is a pool, a \
                     person or an organisation"
                ),
            });
        }
    }
    findings
}

/// Policies that carry nothing.
fn weights(authoriser: &Authoriser, walked: &Walked) -> Result<Vec<Finding>, PolicyError> {
    let mut carries: BTreeMap<&str, usize> = BTreeMap::new();
    let mut carries_alone: BTreeSet<&str> = BTreeSet::new();
    for permits in &walked.permits {
        if let [only] = permits.as_slice() {
            carries_alone.insert(only);
        }
        for id in permits {
            *carries.entry(id).or_insert(0) += 1;
        }
    }
    let mut findings = Vec::new();
    for (id, about) in authoriser.described() {
        let used =
            if about.permits { carries.contains_key(id.as_str()) } else { walked.forbids.contains(id) };
        let (code, message) = if used {
            if !about.permits || carries_alone.contains(id.as_str()) {
                continue;
            }
            ("shadowed", "everything it permits is permitted by others, too; remove it, or narrow them")
        } else if about.permits && alone_permits(authoriser, id)? {
            ("shadowed", "everything it permits is forbidden by another policy or a red line; remove it")
        } else {
            ("unused", "no cell of the matrix turns on it; remove it, or correct the words in it")
        };
        findings.push(Finding { code, policy: Some(id.clone()), message: message.to_owned() });
    }
    Ok(findings)
}

/// The policy set with nothing but this policy in it.
fn alone(authoriser: &Authoriser, id: &str) -> Result<Authoriser, PolicyError> {
    let policies = authoriser.set().policies().filter(|policy| AsRef::<str>::as_ref(policy.id()) == id);
    let set = PolicySet::from_policies(policies.cloned())
        .map_err(|error| PolicyError::Invalid(error.to_string()))?;
    authoriser.with_set(set)
}

fn alone_permits(authoriser: &Authoriser, id: &str) -> Result<bool, PolicyError> {
    let (only, stage) = (alone(authoriser, id)?, Stage::new(authoriser.purposes())?);
    Ok(Matrix::cells(authoriser.purposes())
        .iter()
        .any(|cell| stage.ask(cell, None, |question| only.decide(question)).allowed))
}

/// Policies that, without the others, would permit what a red line forbids: only a prohibition elsewhere holds them back.
fn overlaps(authoriser: &Authoriser) -> Result<Vec<Finding>, PolicyError> {
    let mut findings = Vec::new();
    for (id, about) in authoriser.described().iter().filter(|(_, about)| about.permits) {
        let only = alone(authoriser, id)?;
        if let Err(PolicyError::CrossesRedLine { kind, purpose, .. }) = only.check_red_lines() {
            findings.push(Finding {
                code: "red_line_overlap",
                policy: Some(id.clone()),
                message: format!(
                    "reaches `{kind}` pools for `{purpose}`, which a red line forbids; only another policy holds it back: \
                     narrow it in `{}`",
                    about.file
                ),
            });
        }
    }
    Ok(findings)
}
