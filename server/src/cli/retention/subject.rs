//! Which record is meant: by the service's id or by the calling system's reference.

use clap::Args;
use likeness_proto::v1;

/// Exactly one of the two.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct SubjectChoice {
    /// The subject, by the id that the service assigned
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// The subject, by your system's own reference
    #[arg(long, value_name = "REF")]
    subject_reference: Option<String>,
}

/// The choice as each message has it: the same two fields in a type of its own.
macro_rules! on_the_wire {
    ($name:ident, $message:ident) => {
        impl SubjectChoice {
            /// As the message has it.
            pub fn $name(self) -> Option<v1::$message::Subject> {
                match (self.subject, self.subject_reference) {
                    (Some(id), _) => Some(v1::$message::Subject::SubjectId(id)),
                    (None, Some(reference)) => Some(v1::$message::Subject::SubjectReference(reference)),
                    (None, None) => None,
                }
            }
        }
    };
}

on_the_wire!(reading, get_retention_request);
on_the_wire!(altering, alter_retention_request);
on_the_wire!(erasing, erase_subject_request);
on_the_wire!(applying, receive_application_request);
on_the_wire!(applied, get_applications_request);
