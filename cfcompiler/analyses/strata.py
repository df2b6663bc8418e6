"""Program -> StrataReport: where AD is not the gradient, everywhere, proved.

Programs whose values are affine in the inputs on every stratum are answered by affine_strata.py, completely; those of
rational and elementary functions by general_strata.py, as far as its time goes and its proofs reach. For others the
report has no strata and says which operation stands in the way.
"""

from __future__ import annotations

from cfcompiler.analyses.affine_strata import affine_strata
from cfcompiler.analyses.affine_walk import OutsideTheEngine
from cfcompiler.analyses.general_strata import general_strata, located
from cfcompiler.analyses.strata_question import Question, asked
from cfcompiler.ir import Program
from cfcompiler.report import StrataReport


def strata_of(program: Program, question: Question) -> StrataReport:
    """The whole stratification of a program, or what stands in its way."""
    program = asked(program, question)
    try:
        return affine_strata(program, question)
    except OutsideTheEngine as problem:
        not_affine = problem
    try:
        return general_strata(program, question)
    except OutsideTheEngine as problem:
        same = problem.instruction is not_affine.instruction
        return _not_rational(program, question, not_affine if same else problem)


def _not_rational(program: Program, question: Question, problem: OutsideTheEngine) -> StrataReport:
    inputs = tuple(
        param.value.name
        for param in program.params
        if param.differentiable and param.value.name not in question.fixed
    )
    return StrataReport(
        program.name,
        program.preset,
        inputs,
        question.box_texts(),
        len(program.results) == 1 and not program.results[0].shape,
        (),
        {},
        (),
        (),
        (),
        (f"no stratum is known: {located(problem)}",),
    )
