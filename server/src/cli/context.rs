//! Who is asking and why: the flags that become a `RequestContext`.

use clap::Args;
use likeness_proto::v1::RequestContext;
use uuid::Uuid;

use super::profile::Profile;

/// For operations on people's images, where nothing is assumed.
#[derive(Args, Debug)]
pub struct StatedContext {
    /// Purpose code that the pool permits, for example `criminal_investigation`
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Why this is needed, in your own words (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    justification: String,
    /// Your own id for this interaction, kept in both audit trails
    #[arg(long, value_name = "REF")]
    reference: String,
}

impl StatedContext {
    /// The context on the wire.
    pub fn wire(&self, profile: &Profile) -> RequestContext {
        RequestContext {
            system_name: profile.system_name.clone(),
            reference_id: self.reference.clone(),
            purpose_code: self.purpose.clone(),
            justification: self.justification.clone(),
        }
    }
}

/// For administrative operations, which have documented defaults.
#[derive(Args, Clone, Debug, Default)]
pub struct AssumedContext {
    /// Purpose code [default: given in the command's help]
    #[arg(long, value_name = "CODE")]
    purpose: Option<String>,
    /// Why this is needed [default: given in the command's help]
    #[arg(long, value_name = "TEXT")]
    justification: Option<String>,
    /// Your own id for this interaction [default: `cli-` and a new UUID]
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
}

impl AssumedContext {
    /// For a command whose purpose is fixed.
    pub fn of(justification: Option<String>, reference: Option<String>) -> Self {
        Self { purpose: None, justification, reference }
    }

    /// The context on the wire, with what was left out taken from `purpose` and `justification`.
    pub fn wire(&self, profile: &Profile, purpose: &str, justification: &str) -> RequestContext {
        let or =
            |stated: &Option<String>, default: &str| stated.clone().unwrap_or_else(|| default.to_owned());
        RequestContext {
            system_name: profile.system_name.clone(),
            reference_id: self.reference.clone().unwrap_or_else(|| format!("cli-{}", Uuid::now_v7())),
            purpose_code: or(&self.purpose, purpose),
            justification: or(&self.justification, justification),
        }
    }
}
