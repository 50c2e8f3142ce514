"""An independent computation of the error rates of face comparison, to check likeness-bench against.

Written from the definitions, with numpy, scipy and scikit-learn; shares no code with the Rust side.

    metrics.py make FILE --kind pairs|matrix --rows N --seed S    writes a random score file
    metrics.py check FILE METRICS_JSON                            exits 1 at the first disagreement beyond 1e-9
"""

import argparse
import csv
import json
import sys

import numpy as np
from scipy import stats
from sklearn.metrics import roc_curve

TOLERANCE = 1e-9


def make(path, kind, rows, seed):
    random = np.random.default_rng(seed)
    if kind == "pairs":
        mated = random.random(rows) < 0.3
        probe = np.arange(rows) // 2
        reference = np.arange(rows)
        of_probe = np.where(random.random(rows) < 0.5, "female", "male")[probe]
        of_reference = np.where(mated | (random.random(rows) < 0.5), of_probe, np.where(of_probe == "female", "male", "female"))
    else:
        side = int(np.sqrt(rows))
        probe = np.repeat(np.arange(side), side)
        reference = np.tile(np.arange(side), side)
        # The first half of the probes has a mate in the gallery, of the same number.
        mated = (probe == reference) & (probe < side // 2)
        of_probe = np.where(probe % 2 == 0, "female", "male")
        of_reference = np.where(reference % 2 == 0, "female", "male")
    # One group is harder, so that there is a difference to find.
    score = np.where(of_probe == "female", 0.01, 0.0) + np.where(mated, random.normal(0.6, 0.12, len(probe)), random.normal(0.1, 0.12, len(probe)))
    # Coarse on purpose in every third file, so that ties are common.
    score = np.round(score, 4 if seed % 3 == 0 else 12)
    with open(path, "w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["probe", "reference", "mated", "score", "probe_sex", "reference_sex"])
        for row in zip(probe, reference, mated, score, of_probe, of_reference):
            write.writerow([f"p{row[0]}", f"r{row[1]}", int(row[2]), repr(float(row[3])), row[4], row[5]])


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    column = lambda name: np.array([row[name] for row in rows])
    return column("probe"), column("reference"), column("mated") == "1", column("score").astype(float), column("probe_sex"), column("reference_sex")


class Check:
    def __init__(self):
        self.compared = 0

    def same(self, what, ours, theirs):
        self.compared += 1
        if ours is None or theirs is None:
            equal = ours is theirs
        else:
            equal = abs(ours - theirs) <= TOLERANCE * max(1.0, abs(theirs))
        if not equal:
            sys.exit(f"{what}: likeness-bench says {ours}, the independent computation {theirs}")

    def rate(self, what, rate, count, of, confidence):
        self.same(f"{what} count", rate["count"], int(count))
        self.same(f"{what} trials", rate["of"], int(of))
        self.same(f"{what} rate", rate["rate"], count / of if of else None)
        if of:
            tail = (1 - confidence) / 2
            low = 0.0 if count == 0 else stats.beta.ppf(tail, count, of - count + 1)
            high = 1.0 if count == of else stats.beta.ppf(1 - tail, count + 1, of - count)
            self.same(f"{what} low", rate["low"], low)
            self.same(f"{what} high", rate["high"], high)


def threshold(scores, trials, target):
    """The k-th largest, moved up past ties that would exceed the target."""
    k = int(np.floor(target * trials + 1e-9))
    largest_first = np.sort(scores)[::-1]
    at = largest_first[min(k, len(largest_first)) - 1]
    if np.sum(scores >= at) <= k:
        return at
    larger = scores[scores > at]
    return larger.min() if len(larger) else np.nextafter(scores.max(), np.inf)


def check_comparisons(check, metrics, mated, score):
    record, confidence = metrics["comparisons"], metrics["confidence"]
    mates, others = score[mated], score[~mated]
    check.same("mated", record["mated"], len(mates))
    check.same("non-mated", record["non_mated"], len(others))
    # Rates at every threshold of the table, from scikit-learn's curve: false positive rate and one minus true positive rate.
    fpr, tpr, at = roc_curve(mated, score, drop_intermediate=False)
    ascending = np.argsort(at)
    fpr, tpr, at = fpr[ascending], tpr[ascending], at[ascending]
    for row in record["rows"]:
        # The curve at the smallest observed score at or above the threshold.
        place = np.searchsorted(at, row["threshold"], side="left")
        check.same(f"FMR at {row['threshold']}", row["non_mated_at_or_above"] / len(others), fpr[place])
        check.same(f"FNMR at {row['threshold']}", row["mated_below"] / len(mates), 1 - tpr[place])
    for point in record["operating_points"]:
        target = point["target_fmr"]
        needed = int(np.ceil(metrics["minimum_events"] / target - 1e-6))
        if not point["supported"]:
            check.same(f"needed at {target}", point["needed"], needed)
            if len(others) >= needed:
                sys.exit(f"FMR {target} is refused with {len(others)} comparisons")
            continue
        at = threshold(others, len(others), target)
        check.same(f"threshold at FMR {target}", point["threshold"], at)
        check.rate(f"FMR at {target}", point["fmr"], np.sum(others >= at), len(others), confidence)
        check.rate(f"FNMR at {target}", point["fnmr"], np.sum(mates < at), len(mates), confidence)


def check_searches(check, metrics, probe, reference, mated, score):
    record, confidence = metrics["searches"], metrics["confidence"]
    size = record["sizes"][-1]
    probes, row = np.unique(probe, return_inverse=True)
    references, column = np.unique(reference, return_inverse=True)
    scores = np.full((len(probes), len(references)), -np.inf)
    scores[row, column] = score
    mate = np.zeros(scores.shape, bool)
    mate[row, column] = mated
    searched = mate.any(axis=1)
    own = np.where(mate, scores, -np.inf).max(axis=1)[searched]
    best_other = np.where(mate, -np.inf, scores)[searched]
    rank = 1 + (best_other >= own[:, None]).sum(axis=1)
    strangers = scores[~searched]
    tops = strangers.max(axis=1)
    check.same("N", size["subjects"], len(references))
    check.same("mated searches", size["mated_searches"], int(searched.sum()))
    check.same("non-mated searches", size["non_mated_searches"], len(tops))
    for point in size["cmc"]:
        check.rate(f"rank {point['rank']}", point["fnir"], int(np.sum(rank > point["rank"])), len(rank), confidence)
    for one in size["rows"]:
        at = one["threshold"]
        check.same(f"FPIR at {at}", one["non_mated_with_candidate"], int(np.sum(tops >= at)))
        check.same(f"candidates at {at}", one["candidates"], int(np.sum(strangers >= at)))
        check.same(f"FNIR at {at}", one["mated_missed"], int(np.sum(own < at)))
    for point in size["operating_points"]:
        target = point["target_fpir"]
        if not point["supported"]:
            continue
        at = threshold(tops, len(tops), target)
        check.same(f"threshold at FPIR {target}", point["threshold"], at)
        check.rate(f"FPIR at {target}", point["fpir"], int(np.sum(tops >= at)), len(tops), confidence)
        check.rate(f"FNIR at {target}", point["fnir"], int(np.sum(own < at)), len(own), confidence)
        check.same(f"selectivity at {target}", point["selectivity"], np.sum(strangers >= at) / len(tops))


def check_groups(check, metrics, mated, score, sex, other_sex):
    for one in metrics["demographics"]:
        if not one["why"].startswith("FMR") or one["differential"]["by"] != ["sex"]:
            continue
        at, cells = one["threshold"], one["differential"]["cells"]
        misses = one["measure"] == "false_negative"
        rates, errors, trials = [], [], []
        for cell in cells:
            # Mated comparisons by the probe's group; non-mated ones within a group only.
            group = (sex == cell["values"][0]) & (mated == misses) & (misses | (sex == other_sex))
            wrong = score[group] < at if misses else score[group] >= at
            errors.append(int(wrong.sum()))
            trials.append(int(group.sum()))
            check.rate(f"{one['measure']} of {cell['values']}", cell["rate"], errors[-1], trials[-1], metrics["confidence"])
        errors, trials = np.array(errors), np.array(trials)
        for cell, e, n in zip(cells, errors, trials):
            table = [[e, n - e], [errors.sum() - e, (trials.sum() - n) - (errors.sum() - e)]]
            check.same("p", cell["p_value"], min(1.0, stats.fisher_exact(table)[1] * len(cells)))
        rates = (errors + 0.5) / (trials + 1) if (errors == 0).any() else errors / trials
        if errors.sum():
            check.same("max/min", one["differential"]["max_over_min"], rates.max() / rates.min())
            check.same("max/geometric mean", one["differential"]["max_over_geometric_mean"], rates.max() / stats.gmean(rates))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("file")
    making.add_argument("--kind", choices=["pairs", "matrix"], required=True)
    making.add_argument("--rows", type=int, required=True)
    making.add_argument("--seed", type=int, required=True)
    checking = commands.add_parser("check")
    checking.add_argument("file")
    checking.add_argument("metrics")
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.file, arguments.kind, arguments.rows, arguments.seed)
        return
    with open(arguments.metrics) as file:
        metrics = json.load(file)
    probe, reference, mated, score, sex, other_sex = read(arguments.file)
    check = Check()
    check_comparisons(check, metrics, mated, score)
    check_groups(check, metrics, mated, score, sex, other_sex)
    if metrics["searches"] is not None:
        check_searches(check, metrics, probe, reference, mated, score)
    print(f"{check.compared} numbers agree")


main()
