"""The pipeline that a Python user would write today: onnxruntime, OpenCV and numpy.

The same networks, the same steps and the same numbers as the pack's `pack.toml` says: decode, detect at every scale, merge,
68 landmarks, align, embed the chip and its mirror image. One process, one thread; `likeness-bench pipeline` starts as many
as it compares with. It does not measure quality, which the pipeline it is compared with does.

    python pipeline.py PACK_FOLDER IMAGES_FOLDER

then, on standard input, one command a line, answered by one line of JSON:
    embed                     the embeddings of all images, in the order of their names
    rate SECONDS OFFSET       works through the images from this one on, again and again: how many, in how many seconds
"""

import json
import pathlib
import sys
import time
import tomllib

import cv2
import numpy as np
import onnxruntime

ANCHORS = np.array(
    [[1.603231, 2.094468], [6.041143, 7.080126], [2.882459, 3.518061], [4.266906, 5.178857], [9.041765, 10.66308]],
    dtype=np.float32,
)
CELL = 32
MOST_INSIDE = 0.7
SHRINKS_FROM = 1.5


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def shrunk(image, width, height):
    if (image.shape[1], image.shape[0]) == (width, height):
        return image
    smaller = image.shape[1] > width or image.shape[0] > height
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def sampled(image, origin, step, size):
    """A turned, scaled and shifted square; the part is shrunk first when it is much larger than the square."""
    (left, top), (a, b) = origin, step
    matrix = np.array([[a, -b, left], [b, a, top]])
    per_pixel = float(np.hypot(a, b))
    if per_pixel >= SHRINKS_FROM:
        corners = matrix @ np.array([[0, size - 1, 0, size - 1], [0, 0, size - 1, size - 1], [1, 1, 1, 1]])
        height, width = image.shape[:2]
        low = np.clip(np.floor(corners.min(axis=1) - per_pixel), 0, [width, height]).astype(int)
        high = np.clip(np.ceil(corners.max(axis=1) + per_pixel + 1), 0, [width, height]).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        if part.size == 0:
            return np.zeros((size, size, 3), np.uint8)
        wide, tall = (max(1, round(side / per_pixel)) for side in (part.shape[1], part.shape[0]))
        scale = np.array([[wide / part.shape[1]], [tall / part.shape[0]]])
        image = cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA)
        matrix[:, 2:] += 0.5 - low[:, None]
        matrix *= scale
        matrix[:, 2] -= 0.5
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


class Pipeline:
    def __init__(self, folder):
        self.pack = tomllib.loads((folder / "pack.toml").read_text())
        self.detector = session(folder / self.pack["detector"]["file"])
        self.landmarks = session(folder / self.pack["landmarks"]["file"])
        self.embedder = session(folder / self.pack["embedder"]["file"])
        sides = self.detector.get_inputs()[0].shape[2:]
        self.free = not all(isinstance(side, int) for side in sides)

    def tensor(self, image, of):
        mean = np.array(self.pack[of]["mean"], np.float32)
        scaled = (image.astype(np.float32) - mean) * np.float32(1 / self.pack[of]["divide"])
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))[None]

    @staticmethod
    def run(network, tensor):
        return network.run(None, {network.get_inputs()[0].name: tensor})[0]

    def detect(self, image):
        settings = self.pack["detector"]
        height, width = image.shape[:2]
        longest = max(height, width)

        def fitting(scale):
            return [min(max((side * scale + longest // 2) // longest, 1), scale) for side in (width, height)]

        largest = max(settings["scales"])
        base = shrunk(image, *fitting(largest)) if largest < longest else image
        boxes = []
        for scale in settings["scales"]:
            scaled = shrunk(base, *fitting(scale))
            high, wide = scaled.shape[:2]
            rows, columns = ((side + 31) // 32 * 32 if self.free else scale for side in (high, wide))
            canvas = np.zeros((rows, columns, 3), np.uint8)
            canvas[:high, :wide] = scaled
            out = self.run(self.detector, self.tensor(canvas, "detector"))[0]
            out = out.reshape(5, 5, rows // CELL, columns // CELL)
            scores = sigmoid(out[:, 4])
            for anchor, row, column in zip(*np.nonzero(scores > settings["score_threshold"])):
                x, y, w, h = out[anchor, :4, row, column]
                centre = np.array([column + sigmoid(x), row + sigmoid(y)])
                size = np.exp([w, h]) * ANCHORS[anchor]
                corner = (centre - size / 2) * CELL
                factor = np.array([width / wide, height / high])
                boxes.append((scores[anchor, row, column], *(corner * factor), *(size * CELL * factor)))
        return self.merged(boxes)

    def merged(self, boxes):
        kept = []
        for box in sorted(boxes, key=lambda box: -box[0]):
            _, left, top, width, height = box
            for _, other_left, other_top, other_width, other_height in kept:
                across = min(left + width, other_left + other_width) - max(left, other_left)
                down = min(top + height, other_top + other_height) - max(top, other_top)
                shared = max(across, 0) * max(down, 0)
                areas = width * height, other_width * other_height
                overlap = shared / (sum(areas) - shared)
                if shared / min(areas) > MOST_INSIDE or overlap > self.pack["detector"]["nms_iou"]:
                    break
            else:
                kept.append(box)
        return kept

    def points(self, image, box):
        _, left, top, width, height = box
        side = max(width, height)
        left, top = left + (width - side) / 2, top + (height - side) / 2
        size = self.pack["landmarks"]["size"]
        crop = sampled(image, (left, top), (side / size, 0.0), size)
        all68 = self.run(self.landmarks, self.tensor(crop, "landmarks")).reshape(68, 2) * side + [left, top]
        return np.array(
            [all68[36:42].mean(axis=0), all68[42:48].mean(axis=0), all68[30], all68[48], all68[54]]
        )

    def chip(self, image, points):
        template = np.array(self.pack["embedder"]["template"])
        source, target = points - points.mean(axis=0), template - template.mean(axis=0)
        spread = (source**2).sum()
        a = (source * target).sum() / spread
        b = (source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum() / spread
        forth = np.array([[a, -b], [b, a]])
        back = np.linalg.inv(forth)
        origin = points.mean(axis=0) - back @ template.mean(axis=0)
        return sampled(image, tuple(origin), (back[0, 0], back[1, 0]), self.pack["embedder"]["size"])

    def embed(self, data):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        height, width = image.shape[:2]

        def visible(box):
            _, left, top, wide, high = box
            across = min(left + wide, width) - max(left, 0)
            down = min(top + high, height) - max(top, 0)
            return max(across, 0) * max(down, 0)

        boxes = self.detect(image)
        if not boxes:
            return None
        chip = self.chip(image, self.points(image, max(boxes, key=visible)))
        both = np.concatenate([self.tensor(chip, "embedder"), self.tensor(chip[:, ::-1], "embedder")])
        return self.run(self.embedder, both).mean(axis=0)


def main():
    cv2.setNumThreads(1)
    pack, images = map(pathlib.Path, sys.argv[1:3])
    pipeline = Pipeline(pack)
    files = [path.read_bytes() for path in sorted(images.iterdir())]
    pipeline.embed(files[0])
    for line in sys.stdin:
        match line.split():
            case ["embed"]:
                found = [pipeline.embed(data) for data in files]
                answer = [None if one is None else [float(value) for value in one] for one in found]
            case ["rate", seconds, offset]:
                began, done = time.perf_counter(), 0
                while time.perf_counter() - began < float(seconds):
                    pipeline.embed(files[(int(offset) + done) % len(files)])
                    done += 1
                answer = {"images": done, "seconds": time.perf_counter() - began}
            case _:
                sys.exit(f"unknown command: {line!r}")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
