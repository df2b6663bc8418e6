"""An oracle for tests, by brute force: programs with known pieces, and what can be proved of them at a point.

Nothing here uses the analyses, the transforms or the interpreter that it judges; only the text of a program is shared.
"""
