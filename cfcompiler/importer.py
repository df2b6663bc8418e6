"""`import zero` finds zero.cf: after `import cfcompiler.importer`, `.cf` files on sys.path are modules.

The imported module is the generated one: value, grad, jvp, ... under the file's own tie rules. A `.py` file of the same
name is found first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from cfcompiler.compiler import compile_file


class CfLoader(Loader):
    """Compiles one `.cf` file and runs its module."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exec_module(self, module: ModuleType) -> None:
        """Raises CFError, as an ImportError would be raised for a broken module."""
        text = compile_file(self.path).module()
        exec(compile(text, f"<module of {self.path}>", "exec"), module.__dict__)


class CfFinder(MetaPathFinder):
    """Looks for NAME.cf in the folders of sys.path, or of the package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        for folder in path if path is not None else sys.path:
            file = Path(folder or ".") / f"{name}.cf"
            if os.path.isfile(file):  # a folder that cannot be searched has no such file
                return spec_from_file_location(fullname, file, loader=CfLoader(file))
        return None


def install() -> None:
    """Put the finder behind the ordinary ones, once."""
    if not any(isinstance(finder, CfFinder) for finder in sys.meta_path):
        sys.meta_path.append(CfFinder())


install()
