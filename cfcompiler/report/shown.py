"""Reports in a notebook: `_repr_html_` and `_repr_latex_`, which Jupyter asks a result for.

The texts are made by targets/notebook.py, which stands to the right of the reports: it is looked up when a notebook
asks, and nothing of it is needed otherwise.
"""

from __future__ import annotations

from importlib import import_module

_TEXTS = "cfcompiler.targets.notebook"


class Shown:
    """What a notebook shows in place of `repr`."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        found: str = import_module(_TEXTS).html(self)
        return found

    def _repr_latex_(self) -> str | None:
        found: str | None = import_module(_TEXTS).latex(self)
        return found
