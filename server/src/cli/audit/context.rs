//! Why the log is read: one of the four purposes of section 62, never assumed.

use clap::{Args, ValueEnum};
use likeness_proto::v1::RequestContext;
use uuid::Uuid;

use crate::cli::profile::Profile;

/// The purposes for which logs may be used (DPA 2018 s.62(4)).
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum AuditPurpose {
    /// To verify that processing was lawful
    VerifyLawfulness,
    /// Self-monitoring, internal disciplinary proceedings included
    SelfMonitoring,
    /// Integrity and security of personal data
    IntegrityAndSecurity,
    /// Criminal proceedings
    CriminalProceedings,
}

/// Who reads the log, and why.
#[derive(Args, Debug)]
pub struct AuditContext {
    /// For which of the four purposes
    #[arg(long, value_enum)]
    purpose: AuditPurpose,
    /// Why this is needed, in your own words (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    justification: String,
    /// Your own id for this interaction [default: `cli-` and a new UUID]
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
}

impl AuditContext {
    /// The context on the wire.
    pub fn wire(&self, profile: &Profile) -> RequestContext {
        let purpose = self.purpose.to_possible_value().map(|value| value.get_name().to_owned());
        RequestContext {
            system_name: profile.system_name.clone(),
            reference_id: self.reference.clone().unwrap_or_else(|| format!("cli-{}", Uuid::now_v7())),
            purpose_code: purpose.unwrap_or_default(),
            justification: self.justification.clone(),
        }
    }
}
