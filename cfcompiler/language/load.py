"""load("net.npz", "W1") to an array of constants, read from a file beside the program.

Whatever is wrong with the file is a complaint at the call. Arrays of objects are not read: they could run code.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.arguments import wrong_arguments
from cfcompiler.language.emission import Emission
from cfcompiler.language.terms import Term
from cfcompiler.source import Span


def load(emission: Emission, node: tree.Call, folder: Path) -> Term:
    """load("net.npz", "W1"): an array of constants, from a file beside the program."""
    match node.arguments:
        case (tree.Text(path), tree.Text(name)) if not node.keywords:
            return _array(emission, folder, path, name, node.span)
    return wrong_arguments(emission, node, "load", "takes two texts", 'load("net.npz", "W1")')


def _array(emission: Emission, folder: Path, path: str, name: str, span: Span) -> Term:
    try:
        with np.load(folder / path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                return emission.complain(errors.unreadable_file(span, path, "it is not an .npz archive"))
            if name not in archive.files:
                return emission.complain(errors.no_array(span, path, name, archive.files))
            data = archive[name]
    except (OSError, ValueError, EOFError, KeyError) as error:
        reason = (
            "there is no such file" if isinstance(error, FileNotFoundError) else "it is not an .npz archive"
        )
        return emission.complain(errors.unreadable_file(span, path, reason))
    if data.dtype.kind not in "fiub":
        return emission.complain(errors.bad_array(span, name, f"holds {data.dtype}, not real numbers"))
    return emission.array(path, name, data)
