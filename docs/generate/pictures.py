"""A program of a page, or an example -> its figure by `cfc plot`, inside the page."""

from __future__ import annotations

import base64
import re
import tempfile
from functools import cache
from pathlib import Path

from cfcompiler import gallery
from generate.running import printed

BLOCK = r'^```python title="{name}"\n(.*?)^```$'


def picture(page: str, words: str) -> str:
    """`words`: a file that the page shows or that is an example, and what follows it in the command."""
    name, *options = words.split()
    found = re.search(BLOCK.format(name=re.escape(name)), page, flags=re.DOTALL | re.MULTILINE)
    example = name.removeprefix("examples/").removesuffix(".cf")
    text = found[1] if found else gallery.meant(example)[0].text
    drawn = base64.b64encode(_drawn(text, tuple(options))).decode()
    command = " ".join(["cfc plot", name, *options])
    return (
        f'<figure class="picture"><img alt="figure of {name}" src="data:image/svg+xml;base64,{drawn}">'
        f"<figcaption><code>{command}</code></figcaption></figure>\n"
    )


@cache
def _drawn(text: str, options: tuple[str, ...]) -> bytes:
    """The figure as SVG. Raises AssertionError where cfc draws none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        said = printed(["plot", "-", "-o", str(path), *options], text)
        assert path.exists(), said
        return path.read_bytes()
