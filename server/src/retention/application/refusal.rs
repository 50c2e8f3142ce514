//! What a refusal must show, said before anybody decides.
use super::super::ApplicationTest;
use super::Seniority;

/// What a refusal needs beside its reason, and who may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalNeeds {
    /// Fields of the decision, in their order.
    pub fields: &'static [&'static str],
    /// The least senior who may refuse.
    pub least: Seniority,
    /// The same in words.
    pub words: &'static str,
}

/// Texts that the tests ask for; a stronger test asks for more of them.
pub(super) const FIELDS: [&str; 3] = ["policing_purpose", "exceptional_reason", "why_highly_exceptional"];

impl ApplicationTest {
    /// The name used in rule files, answers and the log.
    pub fn code(self) -> &'static str {
        match self {
            ApplicationTest::None => "none",
            ApplicationTest::ExceptionalReason => "exceptional_reason",
            ApplicationTest::HighlyExceptionalReason => "highly_exceptional_reason",
        }
    }

    /// What a refusal needs under this test.
    pub fn refusal(self) -> RefusalNeeds {
        match self {
            ApplicationTest::None => RefusalNeeds {
                fields: &FIELDS[..0],
                least: Seniority::Handler,
                words: "There is no presumption of deletion. A refusal gives its reason.",
            },
            ApplicationTest::ExceptionalReason => RefusalNeeds {
                fields: &FIELDS[..2],
                least: Seniority::Senior,
                words: "Deletion is presumed. A refusal shows the policing purpose for which retention is necessary, and an \
                        exceptional reason, and is decided by a senior officer.",
            },
            ApplicationTest::HighlyExceptionalReason => RefusalNeeds {
                fields: &FIELDS[..3],
                least: Seniority::ChiefOfficer,
                words: "Deletion is presumed, and more strongly, for an image was taken under 18. A refusal shows the policing \
                        purpose for which retention is necessary, an exceptional reason, and why that reason meets the higher \
                        test, and is decided by the chief officer.",
            },
        }
    }
}
