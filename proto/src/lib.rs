#![doc = include_str!("../README.md")]

/// Messages, clients and servers of the `likeness.v1` package.
#[expect(missing_docs, reason = "generated; the documentation is in the .proto files")]
#[allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("likeness.v1");
}

/// The encoded `FileDescriptorSet` of the package, for gRPC reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/likeness.bin"));

include!(concat!(env!("OUT_DIR"), "/calls.rs"));
