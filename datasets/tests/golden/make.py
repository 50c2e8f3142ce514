#!/usr/bin/env python3
"""Makes the binary golden samples of this folder: small, of no person, by the project itself.

    python3 make.py          writes pairs.bin, face.an2 and grey.png beside this file
"""

import pickle
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
FS, GS, RS, US = b"\x1c", b"\x1d", b"\x1e", b"\x1f"


def png(grey, side=8):
    """A grey square, whose bytes include the separators of ANSI/NIST-ITL in its text chunk."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes([grey]) * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    text = b"Comment\x00" + b"separators \x1c\x1d\x1e\x1f inside the image"
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tEXt", text)
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def record(kind, fields, image=None):
    parts = [f"{kind}.{number:03}:".encode() + value for number, value in fields]
    if image is not None:
        parts.append(f"{kind}.999:".encode() + image)
    body = GS + GS.join(parts) + FS
    head = f"{kind}.001:".encode()
    length = len(head) + len(body)
    while len(head) + len(str(length)) + len(body) != length:
        length = len(head) + len(str(length)) + len(body)
    return head + str(length).encode() + body


def main():
    (HERE / "grey.png").write_bytes(png(128))
    images = [png(grey) for grey in (10, 20, 30, 40)]
    (HERE / "pairs.bin").write_bytes(pickle.dumps((images, [True, False]), protocol=2 + 1))
    content = US.join([b"1", b"2"]) + RS + US.join([b"2", b"00"]) + RS + US.join([b"10", b"01"])
    first = record(1, [(2, b"0501"), (3, content), (4, b"MUGSHOT"), (5, b"20240131"), (7, b"TESTDEST"), (8, b"TESTORIG"), (9, b"TCN-1")])
    second = record(2, [(2, b"00"), (3, b"made up")])
    face = record(10, [(2, b"01"), (3, b"FACE"), (4, b"TESTORIG"), (5, b"20240131"), (6, b"8"), (7, b"8"), (8, b"1"), (9, b"72"),
                       (10, b"72"), (11, b"PNG"), (12, b"GRAY"), (20, b"F")], png(128))
    (HERE / "face.an2").write_bytes(first + second + face)


main()
