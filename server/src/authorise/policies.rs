//! The policies: read, named, and checked against their schema before a single question is answered.
use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf, str::FromStr as _};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{PurposesError, RedLinesError};
use crate::pool::PoolKind;

const SCHEMA: &str = include_str!("../../policies/schema.cedarschema");
/// Longest policy file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Most policies in a set.
const MAX_POLICIES: usize = 1024;
/// Bytes of the digest that name a policy set.
const DIGEST_BYTES: usize = 8;

/// One file of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, for messages.
    pub name: String,
    /// Cedar policies.
    pub text: String,
}

/// What a policy says about itself, in its annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The file it is in.
    pub file: String,
    /// True when it permits, false when it forbids.
    pub permits: bool,
    /// `@basis`: the requirement or rule it stands on.
    pub basis: Option<String>,
    /// `@review`: when it must have been looked at again.
    pub review: Option<Result<Date, String>>,
}

/// Why a policy set is not used.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// The folder or a file cannot be read.
    #[error("cannot read the policies `{}`: {source}", path.display())]
    Unreadable {
        /// What was read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nothing to read.
    #[error("`{}` holds no policy: a folder of policies has files that end in `.cedar`", .0.display())]
    NoFiles(PathBuf),
    /// A file longer than policies can sensibly be.
    #[error("`{name}` is longer than {MAX_FILE_BYTES} bytes")]
    TooLong {
        /// The file.
        name: String,
    },
    /// More policies than a person can review.
    #[error("there are more than {MAX_POLICIES} policies")]
    TooMany,
    /// Not Cedar.
    #[error("`{file}` is not valid: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said.
        reason: String,
    },
    /// The schema that this program was built with is not valid; a test rules it out.
    #[error("the schema is not valid: {0}")]
    Schema(String),
    /// A policy without a name, or with one that another has.
    #[error(
        "a policy in `{file}` {what}; give it an `@id(\"...\")` of its own, so that the audit log can name it"
    )]
    Name {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// A template: all policies are written out.
    #[error("`{file}` holds a template; write the policy out")]
    Template {
        /// The file.
        file: String,
    },
    /// A policy that does not fit the schema.
    #[error("the policies do not fit the schema: {0}")]
    Invalid(String),
    /// A policy set that permits what a red line forbids.
    #[error(
        "the policies permit `{action}` in a `{kind}` pool for `{purpose}` (by {policies}), which a red line forbids: {reason}"
    )]
    CrossesRedLine {
        /// What it permits.
        action: &'static str,
        /// Where.
        kind: PoolKind,
        /// For which purpose.
        purpose: String,
        /// By which policies.
        policies: String,
        /// Why not.
        reason: String,
    },
    /// The list of purposes is not valid.
    #[error(transparent)]
    Purposes(#[from] PurposesError),
    /// The red lines are not valid.
    #[error(transparent)]
    RedLines(#[from] RedLinesError),
}

/// A policy set that fits its schema.
pub(super) struct Policies {
    pub(super) set: PolicySet,
    pub(super) schema: Schema,
    pub(super) described: BTreeMap<String, Described>,
    pub(super) warnings: Vec<String>,
    pub(super) digest: String,
}

/// The policies that this program was built with.
pub fn built_in() -> Vec<PolicyFile> {
    macro_rules! files {
        ($($name:literal),*) => {
            vec![$(PolicyFile { name: $name.to_owned(), text: include_str!(concat!("../../policies/", $name)).to_owned() }),*]
        };
    }
    files!(
        "searching.cedar",
        "records.cedar",
        "auditing.cedar",
        "limits.cedar",
        "direction.cedar",
        "retention.cedar"
    )
}

/// The files of a folder that end in `.cedar`, by name.
///
/// # Errors
/// [`PolicyError`] when the folder cannot be read or holds none.
pub fn read(folder: &Path) -> Result<Vec<PolicyFile>, PolicyError> {
    let failed = |path: &Path, source| PolicyError::Unreadable { path: path.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        if path.extension().is_none_or(|extension| extension != "cedar") {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if fs::metadata(&path).map_err(|source| failed(&path, source))?.len() > MAX_FILE_BYTES {
            return Err(PolicyError::TooLong { name });
        }
        let text = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        files.push(PolicyFile { name, text });
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    if files.is_empty() { Err(PolicyError::NoFiles(folder.to_path_buf())) } else { Ok(files) }
}

/// Parses and checks the files of one policy set.
pub(super) fn parse(files: &[PolicyFile]) -> Result<Policies, PolicyError> {
    let (schema, _) =
        Schema::from_cedarschema_str(SCHEMA).map_err(|error| PolicyError::Schema(error.to_string()))?;
    let mut described = BTreeMap::new();
    let mut policies = Vec::new();
    let mut digest = Sha256::new();
    for file in files {
        // Lengths, so that moving text from one file to the next makes another set.
        digest.update((file.text.len() as u64).to_be_bytes());
        digest.update(file.text.as_bytes());
        let parsed = PolicySet::from_str(&file.text)
            .map_err(|error| PolicyError::Syntax { file: file.name.clone(), reason: error.to_string() })?;
        if parsed.templates().next().is_some() {
            return Err(PolicyError::Template { file: file.name.clone() });
        }
        for policy in parsed.policies() {
            let (id, about) = describe(&file.name, policy)?;
            if described.insert(id.clone(), about).is_some() {
                let what = format!("has the name `{id}`, which another has");
                return Err(PolicyError::Name { file: file.name.clone(), what });
            }
            policies.push(policy.new_id(PolicyId::new(id)));
        }
    }
    if policies.len() > MAX_POLICIES {
        return Err(PolicyError::TooMany);
    }
    let set = PolicySet::from_policies(policies).map_err(|error| PolicyError::Invalid(error.to_string()))?;
    let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    if !checked.validation_passed() {
        let errors: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
        return Err(PolicyError::Invalid(errors.join("; ")));
    }
    Ok(Policies {
        set,
        schema,
        described,
        warnings: checked.validation_warnings().map(ToString::to_string).collect(),
        digest: hex::encode(&digest.finalize()[..DIGEST_BYTES]),
    })
}

fn describe(file: &str, policy: &Policy) -> Result<(String, Described), PolicyError> {
    let id = policy.annotation("id").unwrap_or_default();
    let usable = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !usable {
        let what = "has no name of 1 to 64 lower-case letters, digits and hyphens".to_owned();
        return Err(PolicyError::Name { file: file.to_owned(), what });
    }
    let review =
        policy.annotation("review").map(|text| Date::strptime("%Y-%m-%d", text).map_err(|_| text.to_owned()));
    let about = Described {
        file: file.to_owned(),
        permits: policy.effect() == Effect::Permit,
        basis: policy.annotation("basis").map(str::to_owned),
        review,
    };
    Ok((id.to_owned(), about))
}
