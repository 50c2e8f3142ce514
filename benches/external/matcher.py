#!/usr/bin/env python3
"""An external matcher for likeness-bench, in another language: the smallest useful example of the process interface.

It takes nothing but Python: a "template" is a coarse histogram of the file's bytes. It is no face matcher and says so; it
shows every call and every code. Replace `template` and `similarity` with calls into your algorithm.
"""

import base64
import json
import sys

BINS = 32


def template(image):
    """A stand-in for a feature extractor: byte frequencies, one byte a bin."""
    if len(image) < 100:
        return None
    counts = [0] * BINS
    for byte in image:
        counts[byte * BINS // 256] += 1
    most = max(counts)
    return bytes(count * 255 // most for count in counts)


def similarity(one, other):
    return 1.0 - sum(abs(a - b) for a, b in zip(one, other)) / (255.0 * BINS)


class Matcher:
    def __init__(self):
        self.gallery = {}

    def answer(self, request):
        call = request.get("call")
        if call == "initialize":
            return {"code": "Success", "name": "byte-histogram", "version": "1", "quality": []}
        if call == "create_template":
            made = template(base64.b64decode(request["image"]))
            if made is None:
                return {"code": "FaceDetectionError"}
            return {"code": "Success", "template": base64.b64encode(made).decode(), "quality": []}
        if call == "match_templates":
            one, other = base64.b64decode(request["probe"]), base64.b64decode(request["reference"])
            if len(one) != BINS or len(other) != BINS:
                return {"code": "VerifTemplateError"}
            return {"code": "Success", "similarity": similarity(one, other)}
        if call == "gallery_insert_id":
            self.gallery.setdefault(request["id"], []).append(base64.b64decode(request["template"]))
            return {"code": "Success"}
        if call == "gallery_delete_id":
            return {"code": "Success" if self.gallery.pop(request["id"], None) else "EnrollDirError"}
        if call == "finalize_enrollment":
            return {"code": "Success"}
        if call == "identify_template":
            probe = base64.b64decode(request["template"])
            best = [(max(similarity(probe, one) for one in of), id) for id, of in self.gallery.items()]
            best.sort(key=lambda found: (-found[0], found[1]))
            listed = [{"id": id, "similarity": score} for score, id in best[: request["candidate_list_length"]]]
            return {"code": "Success", "candidates": listed}
        return {"code": "NotImplemented"}


def main():
    matcher = Matcher()
    for line in sys.stdin:
        try:
            answer = matcher.answer(json.loads(line))
        except (KeyError, ValueError):
            answer = {"code": "ParseError"}
        print(json.dumps(answer), flush=True)


main()
