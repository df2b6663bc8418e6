"""`python -m cfcompiler` is `cfc`."""

from __future__ import annotations

import sys

from cfcompiler.cli import main

if __name__ == "__main__":
    sys.exit(main())
