//! An answer that may leave: it was durably recorded first.
use crate::audit::Receipt;

/// An answer put into the form in which it will be sent.
pub struct Rendered<M> {
    /// The message, without receipts.
    pub message: M,
    /// The message's exact bytes, without receipts: what the audit keeps, sealed.
    pub bytes: Vec<u8>,
}

/// A message with the proof that it was recorded. Made only by an operation whose audit append succeeded.
#[derive(Debug)]
pub struct Answer<M> {
    message: M,
    receipt: Receipt,
    per_pool: Vec<Receipt>,
}

impl<M> Answer<M> {
    pub(super) fn new(message: M, receipt: Receipt) -> Self {
        Answer { message, receipt, per_pool: Vec::new() }
    }

    pub(super) fn with_pools(message: M, receipt: Receipt, per_pool: Vec<Receipt>) -> Self {
        Answer { message, receipt, per_pool }
    }

    /// The receipt of the interaction.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Message, receipt, and for a search the receipt of each pool in the order of the request.
    pub fn into_parts(self) -> (M, Receipt, Vec<Receipt>) {
        (self.message, self.receipt, self.per_pool)
    }
}
