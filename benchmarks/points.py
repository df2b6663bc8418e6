"""What `cfc at` costs: processor time of the whole answer, in the process and from the command line.

python benchmarks/points.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import cfcompiler
from cfcompiler.targets.json_report import dumps, point_json

ROOT = Path(__file__).resolve().parent.parent


def arrangement(inputs: int, ties: int) -> str:
    """A sum of weighted relus and absolute values whose arguments all vanish at 0."""
    generator = np.random.default_rng(ties)
    names = [f"x{k}" for k in range(inputs)]
    terms = []
    for place in range(ties):
        argument = " + ".join(
            f"({w})*{name}" for w, name in zip(generator.integers(-3, 4, inputs), names, strict=True)
        )
        terms.append(f"({generator.integers(-3, 4)})*{('relu', 'abs')[place % 2]}({argument})")
    return f"def f({', '.join(names)}):\n    return {' + '.join(terms)}\n"


def network(folder: Path, sizes: tuple[int, ...]) -> str:
    """A network with random weights and one unit that is tied at the input 0."""
    generator = np.random.default_rng(0)
    weights = {
        f"W{k}": generator.standard_normal((below, above)) / above**0.5
        for k, (above, below) in enumerate(zip(sizes, sizes[1:], strict=False))
    }
    bias = generator.standard_normal(sizes[1])
    bias[0] = 0.0
    np.savez(folder / "network.npz", bias=bias, **weights)
    lines = [f'{name} = load("network.npz", "{name}")' for name in ("bias", *weights)]
    body = "W0 @ x + bias"
    for k in range(1, len(weights)):
        body = f"W{k} @ relu({body})"
    path = folder / "network.cf"
    path.write_text("\n".join([*lines, f"def loss(x: Real[{sizes[0]}]):", f"    return sum({body})", ""]))
    return str(path)


def main() -> None:
    import tempfile

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = [
            ("zero.cf, t = 0", str(ROOT / "examples" / "zero.cf"), {"t": 0}),
            ("cusp.cf, (0, 0): thin cells", str(ROOT / "examples" / "cusp.cf"), {"x": 0, "y": 0}),
            ("12 ties, 4 inputs", arrangement(4, 12), {f"x{k}": 0 for k in range(4)}),
            ("16 ties, 3 inputs", arrangement(3, 16), {f"x{k}": 0 for k in range(3)}),
        ]
        for sizes in ((64, 32, 10), (784, 256, 128, 10)):
            title = "network " + "-".join(map(str, sizes)) + ", 1 tie"
            own = folder / str(sizes[0])
            own.mkdir()
            cases.append((title, network(own, sizes), {"x": [0] * sizes[0]}))
        print(f"{'point':32} {'median s':>9} {'most s':>8}   verdict")
        for title, source, point in cases:
            program = cfcompiler.compile(source)
            times = []
            for _ in range(rounds):
                start = time.process_time()
                report = program.at(**point)
                dumps(point_json(report))
                times.append(time.process_time() - start)
            verdict = report.judged.verdict
            print(f"{title:32} {statistics.median(times):9.2f} {max(times):8.2f}   {verdict}", flush=True)
    command = [sys.executable, "-m", "cfcompiler", "at", str(ROOT / "examples" / "zero.cf"), "t=0"]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    print(f"{'cfc at zero.cf, wall, with start':32} {statistics.median(times):9.2f} {max(times):8.2f}")


if __name__ == "__main__":
    main()
