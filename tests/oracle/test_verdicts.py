"""Random programs at points where they are tied: no answer of the compiler is refuted by the oracle.

More of them: `python -m tests.oracle.campaign`.
"""

from __future__ import annotations

import pytest

from tests.oracle.campaign import described, tried
from tests.oracle.generator import case

# How many cases of each class are asked, and how many in a hundred may have the verdict `unknown`.
COUNTS = {
    "affine": (60, 0),
    "polynomial": (45, 30),
    "thin": (30, 20),
    "veiled": (45, 0),
    "injected": (45, 5),
    "sat": (30, 5),
    "jump": (15, 30),
    "smooth_shift": (15, 30),
    "invariance": (15, 30),
}
CHUNK = 15
CHUNKS = [(kind, start) for kind, (count, _) in COUNTS.items() for start in range(0, count, CHUNK)]


@pytest.mark.parametrize(("kind", "start"), CHUNKS)
def test_no_answer_is_refuted(kind: str, start: int) -> None:
    trials = [tried(case(kind, seed)) for seed in range(start, start + CHUNK)]
    refuted = [described(trial) for trial in trials if trial.contradictions]
    assert not refuted, "\n".join(refuted)
    answers = [answer for trial in trials for answer in trial.answers]
    if not any("verdict" in answer for answer in answers):
        pytest.skip("the report has no verdict: only the value, AD and D were judged, and not refuted")
    unknown = [trial for trial in trials if any(a["verdict"] == "unknown" for a in trial.answers)]
    _, allowed = COUNTS[kind]
    assert 100 * len(unknown) <= allowed * len(trials), "\n".join(map(described, unknown))
