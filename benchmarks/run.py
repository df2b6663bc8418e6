"""Runs the benchmarks: python benchmarks/run.py [WORKLOAD ...] [--rounds 5] [--case NAME] [--write FILE]."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module
from math import exp, log
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

from contest import Row, contest
from worker import versions

WORKLOADS = ("batch", "point", "network", "ordering", "long", "ratio")
SCALE = {"ns": 1e9, "us": 1e6, "ms": 1e3}


def main() -> int:
    arguments = _parse()
    os.environ.update(setting.split("=", 1) for setting in arguments.env)
    sections = [_head(arguments.cores, arguments.env)]
    agreed = True
    for name in arguments.workloads or WORKLOADS:
        workload = import_module(f"workloads.{name}")
        names = [c for c in workload.CONTESTANTS if not arguments.only or c in arguments.only]
        cases = [case for case in workload.CASES if not arguments.case or case in arguments.case]
        table: dict[str, list[Row]] = {}
        for case in cases:
            print(f"{name}: {case}", file=sys.stderr, flush=True)
            table[case] = contest(
                name,
                case,
                names,
                workload.REFERENCE,
                processes=arguments.processes,
                rounds=arguments.rounds,
                cores=arguments.cores,
                limit=arguments.limit,
            )
            agreed = agreed and not any(row.note.startswith("DISAGREES") for row in table[case])
        sections.append(_section(workload, names, table, wall=arguments.cores > 1))
        print(sections[-1], flush=True)
    if arguments.write:
        Path(arguments.write).write_text("\n".join(sections), encoding="utf-8")
    return 0 if agreed else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default"
    )
    parser.add_argument("--case", action="append", help="only this case (may be repeated)")
    parser.add_argument("--only", action="append", help="only this contestant (may be repeated)")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each process")
    parser.add_argument(
        "--processes", type=int, default=1, help="processes of each contestant, one after another"
    )
    parser.add_argument("--cores", type=int, default=1, help="cores each contestant may use")
    parser.add_argument(
        "--limit", type=float, default=60.0, help="seconds a contestant may take for one answer"
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="for every contestant, such as OPENBLAS_CORETYPE",
    )
    parser.add_argument("--write", metavar="FILE", help="write the tables there, too")
    arguments = parser.parse_args()
    unknown = set(arguments.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"unknown workload {', '.join(sorted(unknown))}")
    return arguments


def _head(cores: int, settings: list[str]) -> str:
    installed = ", ".join(f"{package} {version}" for package, version in versions().items())
    machine = f"{platform.machine()}, {os.cpu_count()} cores{_instructions()}"
    text = f"Python {platform.python_version()}, {installed}. {machine}; {cores} used by each contestant."
    return text + (f" With {', '.join(settings)}." if settings else "") + "\n"


def _instructions() -> str:
    """The widest vector instructions: what decides how fast NumPy is here."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    return next(
        (f", {name}" for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), ""
    )


def _section(workload: ModuleType, names: list[str], table: dict[str, list[Row]], *, wall: bool) -> str:
    scale = SCALE[workload.UNIT.split()[0]]
    prepared = getattr(workload, "PREPARATION", False)
    clock = "Wall time" if wall else "Processor time"
    unit = f"{workload.UNIT}, after preparation, s" if prepared else workload.UNIT
    lines = [
        f"## {workload.TITLE}",
        "",
        f"{clock}, {unit}: median (over the first row) [least-most].",
        "",
        f"| | {' | '.join(table)} |",
        "|---" * (len(table) + 1) + "|",
    ]
    for number, name in enumerate(names):
        cells = [_cell(rows[number], rows[0], scale, prepared) for rows in table.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", *_means(names, table)]
    return "\n".join(lines) + "\n"


def _cell(row: Row, first: Row, scale: float, prepared: bool) -> str:
    if row.seconds is None:
        return row.note
    text = f"{row.seconds * scale:.3g}"
    if first.seconds is not None and row is not first:
        text += f" (x{row.seconds / first.seconds:.2f})"
    if prepared and row.prepared is not None:
        return f"{row.prepared:.3g} s; {text}"
    return f"{text} [{min(row.samples) * scale:.3g}-{max(row.samples) * scale:.3g}]"


def _means(names: list[str], table: dict[str, list[Row]]) -> list[str]:
    """Geometric means over the cases of each contestant's ratio to the first, where all cases have one."""
    lines = []
    for number, name in enumerate(names[1:], start=1):
        pairs = [(rows[0].seconds, rows[number].seconds) for rows in table.values()]
        ratios = [log(other / first) for first, other in pairs if first and other]
        if len(pairs) > 1 and len(ratios) == len(pairs):
            lines.append(f"- {name}: x{exp(sum(ratios) / len(ratios)):.2f} in geometric mean")
    return [*lines, ""] if lines else []


if __name__ == "__main__":
    raise SystemExit(main())
