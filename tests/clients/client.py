#!/usr/bin/env python3
"""A client by somebody else, in another language: nothing of ours but the .proto files, the certificates and the token.

It enrols, searches, is refused for a purpose that does not fit, keeps a receipt, fetches the proof that the search is on record,
and checks that proof with code of its own against the log's public key. Ends with 0 when all of it went as promised.
"""
import argparse
import base64
import hashlib
import importlib
import pathlib
import sys
import tempfile

import grpc
import grpc_tools
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from grpc_tools import protoc


def stubs(folder: pathlib.Path):
    """Compiles the .proto files and gives a loader of the modules."""
    out = tempfile.mkdtemp(prefix="likeness-stubs-")
    files = [str(path.relative_to(folder)) for path in sorted(folder.glob("likeness/v1/*.proto"))]
    google = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{folder}", f"-I{google}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    if protoc.main(arguments) != 0:
        sys.exit("the .proto files do not compile")
    sys.path.insert(0, out)
    return lambda name: importlib.import_module(f"likeness.v1.{name}")


class Key:
    """The log's public key as a verifier key of signed notes: name, key id, and base64 of 0x01 and the Ed25519 key."""

    def __init__(self, text: str):
        self.name, self.id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        assert raw[0] == 1 and len(raw) == 33, "not an Ed25519 key"
        expected = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        assert expected.hex() == self.id, "the key id does not belong to the key"
        self.key = Ed25519PublicKey.from_public_bytes(raw[1:])

    def open(self, note: str):
        """Verifies a signed head; gives its size and root."""
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            blob = base64.b64decode(encoded, validate=True)
            if dash == "\u2014" and name == self.name and blob[:4].hex() == self.id:
                self.key.verify(blob[4:], text.encode())
                origin, size, root = text.split("\n")[:3]
                assert origin == self.name, "a head of another log"
                return int(size), base64.b64decode(root, validate=True)
        raise AssertionError("the head is not signed by the key")


def root_from(index: int, size: int, leaf: bytes, path: list) -> bytes:
    """The root that an inclusion path leads to: RFC 6962 section 2.1.1, from the top down."""
    node = lambda left, right: hashlib.sha256(b"\x01" + left + right).digest()
    if size == 1:
        assert not path, "the path is too long"
        return leaf
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return node(root_from(index, split, leaf, path[:-1]), path[-1])
    return node(path[-1], root_from(index - split, size - split, leaf, path[:-1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protos", type=pathlib.Path, required=True)
    parser.add_argument("--server", required=True, help="host:port")
    parser.add_argument("--ca", type=pathlib.Path, required=True)
    parser.add_argument("--client-cert", type=pathlib.Path)
    parser.add_argument("--client-key", type=pathlib.Path)
    parser.add_argument("--token", type=pathlib.Path, required=True, help="file that holds the bearer token")
    parser.add_argument("--system", required=True, help="registered name of this system")
    parser.add_argument("--key", type=pathlib.Path, required=True, help="public key of the audit log")
    parser.add_argument("--pool", required=True, help="a custody pool that exists")
    parser.add_argument("--reference-image", type=pathlib.Path, required=True)
    parser.add_argument("--probe", type=pathlib.Path, required=True, help="another picture of the same person")
    args = parser.parse_args()

    module = stubs(args.protos)
    common, audit = module("common_pb2"), module("audit_pb2")
    enrolment, search = module("enrolment_pb2"), module("search_pb2")
    read = lambda path: path.read_bytes() if path else None
    credentials = grpc.ssl_channel_credentials(
        root_certificates=read(args.ca), private_key=read(args.client_key), certificate_chain=read(args.client_cert)
    )
    channel = grpc.secure_channel(args.server, credentials)
    metadata = (("authorization", "Bearer " + args.token.read_text().strip()),)
    key = Key(args.key.read_text())

    def context(purpose):
        return common.RequestContext(
            system_name=args.system,
            reference_id="third-party-1",
            purpose_code=purpose,
            justification="exercised by a client in another language",
        )

    enrolled = module("enrolment_pb2_grpc").EnrolmentServiceStub(channel).Enrol(
        enrolment.EnrolRequest(
            context=context("record_management"),
            pool=args.pool,
            subject_reference="third-party-person",
            source_reference="third-party-image",
            image=args.reference_image.read_bytes(),
        ),
        metadata=metadata,
    )
    assert enrolled.outcome == enrolment.EnrolResponse.OUTCOME_ENROLLED, enrolled
    print("enrolled", enrolled.image_id)

    searching = module("search_pb2_grpc").SearchServiceStub(channel)
    request = search.SearchRequest(
        context=context("criminal_investigation"),
        probe=args.probe.read_bytes(),
        source=search.ProbeSource(
            source_type="cctv", acquired_under="test licence", investigation_ref="OP-TEST", offence_type="robbery"
        ),
        pools=[args.pool],
        candidate_list_length=5,
    )
    found = searching.Search(request, metadata=metadata)
    best = found.candidates[0]
    assert best.subject_id == enrolled.subject_id, "another person is more alike"
    assert "not an identification" in found.caveat
    print("searched", found.receipt.event_id)

    request.context.CopyFrom(context("safeguarding"))
    try:
        searching.Search(request, metadata=metadata)
        sys.exit("a search for a purpose that the pool does not permit was answered")
    except grpc.RpcError as refused:
        assert refused.code() == grpc.StatusCode.PERMISSION_DENIED, refused
        told = dict(refused.trailing_metadata())
        refusal = common.Refusal.FromString(told["likeness-refusal-bin"])
        receipt = common.Receipt.FromString(told["likeness-receipt-bin"])
        assert refusal.code and receipt.event_id == told["likeness-event-id"]
        print("refused", refusal.code, receipt.event_id)

    auditing = module("audit_pb2_grpc").AuditServiceStub(channel)
    for receipt in (found.receipt, receipt):
        proof = auditing.GetInclusionProof(
            audit.GetInclusionProofRequest(context=context("integrity_and_security"), event_id=receipt.event_id),
            metadata=metadata,
        )
        size, root = key.open(proof.checkpoint)
        # Only what the receipt said and what was signed counts; the answer's own idea of them does not.
        assert root_from(receipt.entry_index, size, receipt.entry_hash, list(proof.path)) == root, "not in the log"
        kept, kept_root = key.open(receipt.checkpoint)
        assert kept > receipt.entry_index and kept <= size
        again = auditing.GetInclusionProof(
            audit.GetInclusionProofRequest(
                context=context("integrity_and_security"), event_id=receipt.event_id, tree_size=kept
            ),
            metadata=metadata,
        )
        assert root_from(receipt.entry_index, kept, receipt.entry_hash, list(again.path)) == kept_root
        # The check can fail.
        wrong = hashlib.sha256(receipt.entry_hash).digest()
        assert root_from(receipt.entry_index, size, wrong, list(proof.path)) != root
        print("proved", receipt.event_id, "entry", receipt.entry_index, "of", size)
    print("done")


if __name__ == "__main__":
    main()
