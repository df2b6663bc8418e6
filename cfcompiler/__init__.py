"""cfc: programs with branches and kinks to readable NumPy modules that compute exactly what AD computes.

The names below are all that is public. They are imported when they are first used, so that `cfc --help` and
`cfc --version` wait for neither NumPy nor SymPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled, compile, compile_file, compile_text, program
    from cfcompiler.errors import CFError
    from cfcompiler.gradient_check.check import gradcheck
    from cfcompiler.gradient_check.verdicts import GradcheckReport, GradientRejected
    from cfcompiler.notebook import load_ipython_extension

__all__ = [
    "CFError",
    "Compiled",
    "GradcheckReport",
    "GradientRejected",
    "__version__",
    "compile",
    "compile_file",
    "compile_text",
    "gradcheck",
    "load_ipython_extension",
    "program",
]

__version__ = "0.1.0"

_HOMES = {
    "CFError": "errors",
    "Compiled": "compiler",
    "GradcheckReport": "gradient_check.verdicts",
    "GradientRejected": "gradient_check.verdicts",
    "compile": "compiler",
    "compile_file": "compiler",
    "compile_text": "compiler",
    "gradcheck": "gradient_check.check",
    "load_ipython_extension": "notebook",
    "program": "compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
