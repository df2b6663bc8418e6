"""Thousands of random cases through the compiler and the judge; counts on standard output.

python -m tests.oracle.campaign --count 2000 --class affine --seed 0 [--seconds 60] [--show 5] [--curves 1000]
    python -m tests.oracle.campaign --id affine-17
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cfcompiler import compile_text
from cfcompiler.targets.json_report import dumps, point_json
from tests.oracle.generator import CLASSES, Case, case
from tests.oracle.judge import contradictions, disagreements, doubts, linear, shown, undecided
from tests.oracle.sampling import Seen, seen

# Rays that are enough where the cones are enumerated, curves where they are not.
RAYS, CURVES = 60, 160
# Keys of an answer that are not printed: they stand above it, or are long.
UNTOLD = frozenset(("program", "ties", "point", "ties_here"))


@dataclass(slots=True)
class Trial:
    """One case: the answers of the compiler (the partner's too), and what is held against them."""

    case: Case
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer_to(asked: Case) -> Mapping[str, Any]:
    """The JSON of the compiler. Raises CFError where it refuses the program."""
    compiled = compile_text(asked.text, asked.name, overrides=asked.rules.overrides())
    return point_json(compiled.at(**asked.coordinates))


def truth_of(asked: Case, curves: int = CURVES) -> Seen:
    """What the oracle proves of a case."""
    return seen(asked.program, asked.point, affine=asked.affine, curves=RAYS if asked.affine else curves)


def truth_of_partner(asked: Case, truth: Seen, curves: int = CURVES) -> Seen:
    """What it proves of the partner, with the images of what was proved of the case."""
    assert asked.partner is not None
    own = truth_of(asked.transformed(), curves)
    images = frozenset(asked.partner.image(vector) for vector in truth.proved)
    return replace(own, proved=own.proved | images, complete=truth.complete)


def tried(asked: Case, curves: int = CURVES) -> Trial:
    """Ask the compiler, and judge. Raises CFError where the compiler refuses the program."""
    trial = Trial(asked)
    truth = truth_of(asked, curves)
    pairs = [(asked, truth)]
    if asked.partner is not None:
        pairs.append((asked.transformed(), truth_of_partner(asked, truth, curves)))
    for one, known in pairs:
        start = time.perf_counter()
        answer = answer_to(one)
        trial.seconds += time.perf_counter() - start
        trial.answers.append(answer)
        trial.contradictions += contradictions(one, answer, known)
        trial.doubts += doubts(one, answer, known)
        trial.undecided += undecided(answer)
    if asked.partner is not None:
        trial.contradictions += disagreements(asked, *trial.answers)
    return trial


def described(trial: Trial) -> str:
    """The case with everything that is needed to look at it."""
    asked = trial.case
    lines = [f"--- {asked.name} at {asked.coordinates}, ties {asked.rules.overrides()}", asked.text.rstrip()]
    if asked.partner is not None:
        other = asked.transformed()
        lines += [f"--- and {other.name} at {other.coordinates}", other.text.rstrip()]
    for answer in trial.answers:
        lines.append(f"  answer: {dumps({key: answer[key] for key in answer if key not in UNTOLD})}")
    lines += [f"  CONTRADICTION: {text}" for text in trial.contradictions]
    lines += [f"  doubt: {text}" for text in trial.doubts]
    lines += [f"  undecided: {', '.join(dict.fromkeys(trial.undecided))}"] if trial.undecided else []
    return "\n".join(lines)


@dataclass(slots=True)
class Campaign:
    """The counts so far."""

    shown: int
    curves: int
    counts: Counter[str] = field(default_factory=Counter)
    open_keys: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    undecided: list[Trial] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def run(self, kind: str, seed: int) -> None:
        """One case; a refused program or a crash is a complaint too."""
        asked = case(kind, seed)
        self.counts["cases"] += 1
        try:
            trial = tried(asked, self.curves)
        except Exception as problem:  # the campaign goes on, and tells
            self._complain(
                "crashes", f"--- {asked.name} at {asked.coordinates}\n{asked.text}{_trace(problem)}"
            )
            return
        self.slowest = max(self.slowest, (trial.seconds, asked.name))
        self.verdicts.update(str(answer.get("verdict")) for answer in trial.answers)
        if trial.contradictions:
            self._complain("contradictions", described(trial))
        if trial.doubts:
            self._complain("doubts", described(trial))
        self.counts["undecided" if trial.undecided else "decided"] += 1
        if trial.undecided:
            self.open_keys.update(set(trial.undecided))
            self.undecided.append(trial)

    def _complain(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= self.shown:
            print(f"{kind.upper()}\n{text}\n", flush=True)

    def summary(self) -> str:
        lines = [", ".join(f"{name} {count}" for name, count in self.counts.items())]
        lines.append(f"verdicts: {dict(self.verdicts.most_common())}")
        lines.append(f"slowest: {self.slowest[1]} {self.slowest[0]:.2f} s")
        if self.undecided:
            lines.append(f"left open, by key: {dict(self.open_keys.most_common())}")
            lines.append(f"undecided: {' '.join(trial.case.name for trial in self.undecided[:200])}")
        return "\n".join(lines)


def _trace(problem: Exception) -> str:
    return "".join(traceback.format_exception(problem))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 1 where something was refuted or crashed."""
    parser = argparse.ArgumentParser(prog="tests.oracle.campaign", description=__doc__)
    parser.add_argument("--class", dest="kind", choices=(*CLASSES, "all"), default="all")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first case")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop a class after this time")
    parser.add_argument("--show", type=int, default=5, help="how many of each complaint are printed")
    parser.add_argument("--undecided", type=int, default=0, help="how many undecided cases are printed")
    parser.add_argument(
        "--curves", type=int, default=CURVES, help="more of them see more, where there are no cones"
    )
    parser.add_argument("--id", help="one case alone, as class-number")
    asked = parser.parse_args(arguments)
    if asked.id is not None:
        kind, _, number = asked.id.rpartition("-")
        one = case(kind, int(number))
        truth = truth_of(one, asked.curves)
        print(f"{described(tried(one, asked.curves))}")
        print(f"  proved: {shown(truth.proved)}, complete: {truth.complete}")
        print(f"  seen on all scales: {shown(truth.persistent)}")
        print(f"  rays: {len(truth.slopes)}, slopes of one linear function: {linear(truth.slopes)}")
        return 0
    failed = False
    for kind in CLASSES if asked.kind == "all" else (asked.kind,):
        campaign = Campaign(asked.show, asked.curves)
        start = time.monotonic()
        for seed in range(asked.seed, asked.seed + asked.count):
            campaign.run(kind, seed)
            if time.monotonic() - start > asked.seconds:
                break
        for trial in campaign.undecided[: asked.undecided]:
            print(f"UNDECIDED\n{described(trial)}\n")
        print(f"{kind}: {campaign.summary()}\n{time.monotonic() - start:.1f} s\n", flush=True)
        failed = failed or bool(campaign.counts["contradictions"] or campaign.counts["crashes"])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
