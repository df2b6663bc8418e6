"""Page -> one HTML file with everything in it: no server, no network; scripts and styles stand in the file.

What comes from the user (the program, names, paths, comments) is JSON in a data block, which the scripts put into the
page as text. The Content-Security-Policy allows the one script and the one style sheet of this file, by their hashes,
and no request to anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from cfcompiler import __version__, output
from cfcompiler.ir import Program
from cfcompiler.report.page import Page
from cfcompiler.targets.html_report.code_lines import first_instruction, module_listing, program_listing
from cfcompiler.targets.html_report.page_data import data_of
from cfcompiler.targets.html_report.styles import mark_styles

# In the order in which they are put together; all share one scope.
SCRIPTS = (
    "numbers",
    "judge",
    "elements",
    "header",
    "code",
    "point",
    "gradients",
    "rules",
    "tape",
    "probe",
    "curve",
    "map",
    "picture",
    "table",
    "quiz",
    "start",
)


@dataclass(frozen=True, slots=True)
class Document:
    """A page as a text, to be saved or shown in a notebook."""

    text: str

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write it. Raises CFError where a file is there that cfc did not write, unless `force`."""
        output.write(Path(path), self.text, force=force)
        return Path(path)

    def _repr_html_(self) -> str:
        style = "width:100%;height:85vh;border:1px solid #8888"
        return f'<iframe srcdoc="{escape(self.text)}" style="{style}" title="cfc report"></iframe>'


@dataclass(frozen=True, slots=True)
class Stages:
    """The derivative programs of a page, and the module; `module` is empty where it is not wanted."""

    forward: Program
    backward: Program
    module: str


def emit(page: Page, stages: Stages) -> Document:
    """The page of a program whose derivatives are `stages`."""
    listings = {
        "backward": program_listing(stages.backward),
        "forward": program_listing(stages.forward),
        "module": module_listing(stages.module),
    }
    data = data_of(page, listings, first_instruction(stages.backward))
    style = _read("page.css") + mark_styles()
    script = '(() => {\n"use strict";\n' + "\n".join(_read(f"{name}.js") for name in SCRIPTS) + "})();\n"
    allowed = f"style-src {_hash(style)}; script-src {_hash(script)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    parts = {
        "generator": f"{output.MARK}, version {__version__}",
        "policy": policy,
        "style": style,
        "data": embedded(data),
        "script": script,
    }
    text = _read("page.html")
    for name, part in parts.items():
        before, hole, after = text.partition(f"<!--{name}-->")
        assert hole, name
        text = before + part + after
    return Document(text)


def embedded(data: object) -> str:
    """JSON that no HTML parser takes for anything else; plain ASCII, so that no letter ends a line of a script."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
