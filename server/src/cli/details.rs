//! Reads what a failed call carries: the typed refusal and the receipt of its audit event.

use likeness_proto::v1::{Receipt, Refusal};
use prost::Message;
use tonic::{Status, metadata::MetadataMap};

/// What the service attached to a status.
#[derive(Debug, Default, PartialEq)]
pub struct Details {
    /// Why it refused.
    pub refusal: Option<Refusal>,
    /// Proof that the refusal was recorded.
    pub receipt: Option<Receipt>,
}

/// The details of `status`; empty when there are none or they do not decode.
pub fn of(status: &Status) -> Details {
    Details {
        refusal: binary(status.metadata(), "likeness-refusal-bin"),
        receipt: binary(status.metadata(), "likeness-receipt-bin"),
    }
}

fn binary<M: Message + Default>(metadata: &MetadataMap, key: &str) -> Option<M> {
    let bytes = metadata.get_bin(key)?.to_bytes().ok()?;
    M::decode(bytes).ok()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use tonic::{Code, metadata::MetadataValue};

    /// A status as the service sends it.
    pub fn refused(code: Code, refusal: &Refusal) -> Status {
        let mut status = Status::new(code, "m");
        let value = MetadataValue::from_bytes(&refusal.encode_to_vec());
        status.metadata_mut().insert_bin("likeness-refusal-bin", value);
        status
    }

    #[test]
    fn the_refusal_is_read() {
        let refusal = Refusal { code: "no_face".into(), message: "no face".into(), ..Refusal::default() };
        let status = refused(Code::InvalidArgument, &refusal);
        assert_eq!(of(&status), Details { refusal: Some(refusal), receipt: None });
    }

    #[test]
    fn rubbish_is_nothing() {
        let mut status = Status::new(Code::Internal, "m");
        status
            .metadata_mut()
            .insert_bin("likeness-receipt-bin", MetadataValue::from_bytes(&[0xff, 0xff, 0xff]));
        assert_eq!(of(&status), Details::default());
        assert_eq!(of(&Status::new(Code::Internal, "m")), Details::default());
    }
}
