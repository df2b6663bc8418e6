"""One contestant in a process of its own: prepares, answers once, then runs as often as it is told.

    python worker.py WORKLOAD CASE CONTESTANT CORES ANSWER.npz

Each line on standard input is a number of runs; each line on standard output is JSON. Libraries that print do it
to standard error. The process keeps to its cores before any library starts, so that all see the same machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent
PACKAGES = ("numpy", "jax", "torch", "autograd", "casadi")


def main(workload: str, case: str, contestant: str, cores: str, answer: str) -> None:
    speak = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    _keep_to(int(cores))
    sys.path[:0] = [str(ROOT), str(ROOT.parent)]
    _say(speak, _prepare(workload, case, contestant, answer))
    if _TASK:
        for line in sys.stdin:
            _say(speak, _sample(int(line)))


_TASK: list[Any] = []


def _prepare(workload: str, case: str, contestant: str, answer: str) -> Mapping[str, object]:
    """Imports are not counted: the preparation is what a new program costs in a running process."""
    import numpy as np
    from workloads.task import Unavailable

    try:
        module = import_module(f"workloads.{workload}")
        _import_peers(contestant)
        start = _processor_seconds(), time.perf_counter()
        task = module.CONTESTANTS[contestant](case)
        task.run()
        spent = _processor_seconds() - start[0], time.perf_counter() - start[1]
        np.savez(answer, *task.answer())
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("cfcompiler."):
            raise
        return {"missing": str(missing)}
    except Unavailable as reason:
        return {"missing": str(reason)}
    _TASK.append(task)
    return {"prepared": spent[0], "prepared_wall": spent[1], "units": task.units}


def _import_peers(contestant: str) -> None:
    peers = {"JAX": "jax", "PyTorch": "torch", "torch": "torch", "autograd": "autograd", "CasADi": "casadi"}
    first = contestant.replace(".", " ").split()[0]
    if first in peers:
        import_module(peers[first])
    elif first == "cfc":
        import_module("cfcompiler")


def _sample(runs: int) -> Mapping[str, object]:
    run = _TASK[0].run
    start = time.process_time(), time.perf_counter()
    for _ in range(runs):
        run()
    return {"cpu": (time.process_time() - start[0]) / runs, "wall": (time.perf_counter() - start[1]) / runs}


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _keep_to(cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    os.environ.setdefault("OMP_NUM_THREADS", str(cores))


def _say(speak: TextIO, message: Mapping[str, object]) -> None:
    speak.write(json.dumps(message) + "\n")
    speak.flush()


def versions() -> dict[str, str]:
    """The installed packages that take part."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
