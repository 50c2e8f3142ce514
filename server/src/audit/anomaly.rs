//! What in the log deserves a second look: rules as data, read over entries in their order.
//!
//! A flag names the entry and the rule, and is a reason to ask somebody, never a finding about them. The same rules run over old
//! entries, for a report, and over new ones, for the security feed.

mod rules;
mod watch;

pub use rules::{AnomalyRules, DEFAULT, RulesError};
pub use watch::{Flag, Watch};
