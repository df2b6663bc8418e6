"""explanations.toml -> a page for each code, and their index."""

from __future__ import annotations

from functools import cache

from cfcompiler.analyses.finding_texts import LEVELS
from cfcompiler.diagnostics import Explanation, explanations
from generate.markdown import block, code, plain, table
from generate.running import printed

# The first code of each group, and what the group is about; errors.py has the same groups.
GROUPS = (
    ("CF001", "The text of a file"),
    ("CF030", "Names and calls"),
    ("CF050", "Shapes and kinds"),
    ("CF070", "What must be known when the program is compiled"),
    ("CF080", "Files and ties"),
    ("CF090", "Points and the command line"),
    ("CF101", "Findings of `cfc check`"),
    ("CF190", "What `cfc check` says of its own work"),
)
INDEX = "codes/index.md"


@cache
def pages() -> dict[str, str]:
    """The path of each page with its text."""
    found = {f"codes/{entry.code}.md": _page(entry) for entry in explanations().values()}
    return {INDEX: _index(), **found}


def _index() -> str:
    starts = [first for first, _ in GROUPS] + ["CG"]
    parts = [
        "# Codes\n\nEvery complaint and every finding has a code; `cfc explain CODE` prints the page of one.\n",
        "`# cf: ignore[CODE] reason` on a line of a program silences a finding there.\n",
    ]
    for (_, title), start, end in zip(GROUPS, starts[:-1], starts[1:], strict=True):
        entries = [entry for entry in explanations().values() if start <= entry.code < end]
        rows = [
            (f"[{entry.code}]({entry.code}.md)", plain(entry.title), LEVELS.get(entry.code, "error"))
            for entry in entries
        ]
        parts.append(f"## {title}\n\n{table(('code', 'means', 'level'), rows)}")
    return "\n".join(parts)


def _page(entry: Explanation) -> str:
    parts = [f"# {entry.code}: {entry.title}\n", entry.text.strip() + "\n"]
    if entry.wrong.strip():
        parts += ["## Wrong\n", block(entry.wrong, _language(entry))]
        complaint = _said(entry) if _language(entry) == "python" else ""
        if complaint:
            parts += ["What `cfc` says of it:\n", block(complaint, "text")]
    if entry.right.strip():
        parts += ["## Right\n", block(entry.right, _language(entry))]
    level = LEVELS.get(entry.code)
    kind = (
        f"A finding of [cfc check](../commands/check.md), level {level}."
        if level
        else "An error: nothing is compiled, exit code 2."
    )
    parts.append(f"{kind} In a terminal: {code(f'cfc explain {entry.code}')}. [All codes](index.md).\n")
    return "\n".join(parts)


def _language(entry: Explanation) -> str:
    text = (entry.wrong + entry.right).strip()
    return "console" if text.startswith(("cfc ", "$", "echo")) else "python"


def _said(entry: Explanation) -> str:
    """What cfc says of the wrong program: the complaint, or the findings with this code; "" where it takes more."""
    finding = entry.code in LEVELS
    command = ["check", "-", "--select", entry.code] if finding else ["compile", "-", "-o", "-"]
    said = printed(command, entry.wrong.lstrip("\n"))
    return said if entry.code in said else ""
