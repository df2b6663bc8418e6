"""Callables f and grad, and a point, to a verdict on grad there that is right at kinks: `cfcompiler.gradcheck`.

This layer knows nothing of programs: it sees f from outside, in floats, so what it says is a report and not a proof.
"""
