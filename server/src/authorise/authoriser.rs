//! The only place where a question about rights is answered.
use std::{collections::BTreeMap, path::Path, sync::Arc};

use cedar_policy::{Authorizer, Decision as Cedar, Entities, PolicySet, Request, Schema};

use super::{
    Decision, Denied, Described, Permit, Place, PolicyError, PolicyFile, Purposes, Question, RedLines,
    facts::{NOT_APPLICABLE, Names},
    policies,
};

/// The policies, ready to be asked. Deny by default; an error denies; a red line denies whatever the policies say.
pub struct Authoriser {
    cedar: Authorizer,
    set: PolicySet,
    schema: Schema,
    names: Arc<Names>,
    purposes: Purposes,
    red_lines: RedLines,
    described: BTreeMap<String, Described>,
    warnings: Vec<String>,
    digest: Arc<str>,
}

impl Authoriser {
    /// The policies that this program was built with.
    ///
    /// # Errors
    /// [`PolicyError`], which a test rules out for the files in the repository.
    pub fn built_in() -> Result<Authoriser, PolicyError> {
        Authoriser::of(&policies::built_in())
    }

    /// The policies of a folder, in place of those that this program was built with. Purposes, schema and red lines stay.
    ///
    /// # Errors
    /// As [`Authoriser::of`], and when the folder cannot be read.
    pub fn read(folder: &Path) -> Result<Authoriser, PolicyError> {
        Authoriser::of(&policies::read(folder)?)
    }

    /// These policies.
    ///
    /// # Errors
    /// [`PolicyError`] for policies that do not fit the schema, have no names, or permit what a red line forbids.
    pub fn of(files: &[PolicyFile]) -> Result<Authoriser, PolicyError> {
        let parsed = policies::parse(files)?;
        let authoriser = Authoriser {
            cedar: Authorizer::new(),
            set: parsed.set,
            names: Arc::new(Names::new(&parsed.schema)?),
            schema: parsed.schema,
            purposes: Purposes::built_in()?,
            red_lines: RedLines::built_in()?,
            described: parsed.described,
            warnings: parsed.warnings,
            digest: parsed.digest.into(),
        };
        authoriser.check_red_lines()?;
        Ok(authoriser)
    }

    /// The same authoriser with another policy set, unchecked: for looking at what one policy does by itself.
    pub(super) fn with_set(&self, set: PolicySet) -> Result<Authoriser, PolicyError> {
        Ok(Authoriser {
            cedar: Authorizer::new(),
            set,
            schema: self.schema.clone(),
            names: Arc::clone(&self.names),
            purposes: self.purposes.clone(),
            red_lines: self.red_lines.clone(),
            described: self.described.clone(),
            warnings: Vec::new(),
            digest: Arc::clone(&self.digest),
        })
    }

    /// The controlled list of purposes.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// What no policy may permit.
    pub fn red_lines(&self) -> &RedLines {
        &self.red_lines
    }

    /// What each policy says about itself, by id.
    pub fn described(&self) -> &BTreeMap<String, Described> {
        &self.described
    }

    /// Which policy set it is: the start of its SHA-256, hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn set(&self) -> &PolicySet {
        &self.set
    }

    /// The words that policies and questions are put in.
    #[cfg(test)]
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What the schema check had to say about policies that it lets pass.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Answers a question, with the policies that decided.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let mut decision = match self.put(question) {
            Ok((request, entities)) => self.judge(&request, &entities),
            Err(error) if error == NOT_APPLICABLE => self.denied(Vec::new()),
            Err(error) => self.denied(vec![error]),
        };
        if decision.allowed
            && let Place::Pool(facts) = question.place
            && let Some(line) = self.red_lines.crossed(question.purpose, facts.kind)
        {
            decision.allowed = false;
            decision.red_line = Some(line.reason.clone());
        }
        decision
    }

    /// Answers a question with the right to do what was asked.
    ///
    /// # Errors
    /// [`Denied`] unless a policy permits it, none forbids it and no red line is crossed.
    pub fn authorise(&self, question: &Question<'_>) -> Result<Permit, Denied> {
        let decision = self.decide(question);
        if !decision.allowed {
            return Err(Denied::by(decision));
        }
        let pool = match question.place {
            Place::Pool(facts) => Some(facts.name.clone()),
            Place::Service | Place::Trail { .. } => None,
        };
        Ok(Permit::decided(pool, question.action, question.purpose.clone(), decision))
    }

    /// The question in Cedar's words.
    pub(super) fn put(&self, question: &Question<'_>) -> Result<(Request, Entities), String> {
        self.names.put(question, &self.purposes)
    }

    /// What the policies alone say.
    pub(super) fn judge(&self, request: &Request, entities: &Entities) -> Decision {
        let response = self.cedar.is_authorized(request, &self.set, entities);
        let mut errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        if !errors.is_empty() {
            // A policy that fails is skipped by the language, and a skipped prohibition would permit.
            errors.sort();
            return self.denied(errors);
        }
        let mut policies: Vec<String> =
            response.diagnostics().reason().map(|id| AsRef::<str>::as_ref(id).to_owned()).collect();
        policies.sort();
        Decision {
            allowed: response.decision() == Cedar::Allow,
            policies,
            errors,
            red_line: None,
            policy_set: Arc::clone(&self.digest),
        }
    }

    fn denied(&self, errors: Vec<String>) -> Decision {
        Decision {
            allowed: false,
            policies: Vec::new(),
            errors,
            red_line: None,
            policy_set: Arc::clone(&self.digest),
        }
    }
}
