"""The probes of data/conventions.json -> .cf programs with their points: one table.

Probes whose name begins with d2 are second derivatives. `None`: the language cannot say it, see REASONS.
"""

from __future__ import annotations

from dataclasses import dataclass

Number = float | list[float]

# The preset that stands for each library of the file.
PRESETS = {
    "jax": "jax",
    "pytorch": "torch-2.15",
    "tensorflow": "tensorflow",
    "autograd": "autograd",
    "casadi": "casadi-sx",
    "mygrad": "mygrad",
    "pytensor": "pytensor",
    "sympy": "sympy",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A program by its body over x, y and the point at which it is asked."""

    body: str
    point: tuple[Number, ...]
    order: int = 1

    @property
    def source(self) -> str:
        return self.source_of(self.body)

    def source_of(self, body: str) -> str:
        params = (
            name + (f": Real[{len(value)}]" if isinstance(value, list) else "")
            for name, value in zip("xyz", self.point, strict=False)
        )
        return f"def f({', '.join(params)}):\n    return {body}\n"


_ZERO, _PAIR, _SOFTPLUS = [0.0, 0.0], (1.0, 1.0), "max(x, 0) + log(1 + exp(-abs(x)))"

PROBES: dict[str, Probe] = {
    "abs@0": Probe("abs(x)", (0.0,)),
    "sign@0": Probe("sign(x)", (0.0,)),
    "relu@0": Probe("relu(x)", (0.0,)),
    "max(x,0)@0": Probe("max(x, 0)", (0.0,)),
    "max(0,x)@0": Probe("max(0, x)", (0.0,)),
    "min(x,0)@0": Probe("min(x, 0)", (0.0,)),
    "min(0,x)@0": Probe("min(0, x)", (0.0,)),
    "max(a,b)@tie": Probe("max(x, y)", _PAIR),
    "min(a,b)@tie": Probe("min(x, y)", _PAIR),
    "reduce_max[2,2,1]": Probe("max(x)", ([2.0, 2.0, 1.0],)),
    "reduce_max[1,1,1]": Probe("max(x)", ([1.0, 1.0, 1.0],)),
    "reduce_min[1,1,2]": Probe("min(x)", ([1.0, 1.0, 2.0],)),
    "amax[2,2,1]": Probe("max(x)", ([2.0, 2.0, 1.0],)),
    "max(dim)[2,2,1]": Probe("x[argmax(x)]", ([2.0, 2.0, 1.0],)),
    "maxpool2[1,1]": Probe("maxpool(x, 2)[0]", ([1.0, 1.0],)),
    "clip(x,0,1)@0": Probe("clip(x, 0, 1)", (0.0,)),
    "clip(x,0,1)@1": Probe("clip(x, 0, 1)", (1.0,)),
    "clamp(min=0)@0": Probe("clip(x, 0, inf)", (0.0,)),
    "where(x>0,x,0)@0": Probe("where(x > 0, x, 0)", (0.0,)),
    "where(x>=0,x,0)@0": Probe("where(x >= 0, x, 0)", (0.0,)),
    "floor@1": Probe("floor(x)", (1.0,)),
    "round@0.5": Probe("round(x)", (0.5,)),
    "mod(x,1)@1": Probe("remainder(x, 1)", (1.0,)),
    "sqrt@0": Probe("sqrt(x)", (0.0,)),
    "x**0.5@0": Probe("x**0.5", (0.0,)),
    "cbrt@0": Probe("cbrt(x)", (0.0,)),
    "x**0@0": Probe("x**0.0", (0.0,)),
    "x**y@(0,0)": Probe("x**y", (0.0, 0.0)),
    "x**y@(0,1)": Probe("x**y", (0.0, 1.0)),
    "x**y@(0,2)": Probe("x**y", (0.0, 2.0)),
    "norm[0,0]": Probe("norm2(x)", (_ZERO,)),
    "sqrt(sum sq)[0,0]": Probe("sqrt(sum(x**2))", (_ZERO,)),
    "norm**2[0,0]": Probe("norm2(x)**2", (_ZERO,)),
    "hypot(0,0)": Probe("hypot(x, y)", (0.0, 0.0)),
    "atan2(0,0)": Probe("atan2(x, y)", (0.0, 0.0)),
    "l1norm[0,1]": Probe("norm1(x)", ([0.0, 1.0],)),
    "linfnorm[1,1]": Probe("norminf(x)", ([1.0, 1.0],)),
    "std[1,1,1]": Probe("std(x)", ([1.0, 1.0, 1.0],)),
    "leaky_relu(.01)@0": Probe("leaky_relu(x, 0.01)", (0.0,)),
    "elu(alpha=2)@0": Probe("elu(x, 2)", (0.0,)),
    "relu6@0": Probe("relu6(x)", (0.0,)),
    "relu6@6": Probe("relu6(x)", (6.0,)),
    "hardtanh@1": Probe("hardtanh(x)", (1.0,)),
    "hardtanh@-1": Probe("hardtanh(x)", (-1.0,)),
    "hardsigmoid@-3": Probe("hardsigmoid(x)", (-3.0,)),
    "hardsigmoid@3": Probe("hardsigmoid(x)", (3.0,)),
    "hardswish@-3": Probe("hardswish(x)", (-3.0,)),
    "hardswish@3": Probe("hardswish(x)", (3.0,)),
    "selu@0": Probe("selu(x)", (0.0,)),
    "celu(alpha=2)@0": Probe("celu(x, 2)", (0.0,)),
    "softplus@0": Probe("softplus(x)", (0.0,)),
    "log_sigmoid@0": Probe("logsigmoid(x)", (0.0,)),
    "silu@0": Probe("silu(x)", (0.0,)),
    "hardshrink(.5)@.5": Probe("hardshrink(x, 0.5)", (0.5,)),
    "softshrink(.5)@.5": Probe("softshrink(x, 0.5)", (0.5,)),
    "threshold(0,0)@0": Probe("threshold(x, 0, 0)", (0.0,)),
    "prelu(w=.25)@0": Probe("prelu(x, 0.25)", (0.0,)),
    "l1_loss@0": Probe("abs(x - 0)", (0.0,)),
    "smooth_l1(beta=1)@1": Probe("huber(x)", (1.0,)),
    "huber@1": Probe("huber(x)", (1.0,)),
    "hinge_embedding@1": Probe("hinge(x)", (1.0,)),
    "margin_ranking@0": Probe("clip(-(x - 0), 0, inf)", (0.0,)),
    "median[1,1,1]": Probe("median(x)", ([1.0, 1.0, 1.0],)),
    "median[1,2]": Probe("median(x)", ([1.0, 2.0],)),
    "quantile(.5)[1,1,1,1]": Probe("quantile(x, 0.5)", ([1.0, 1.0, 1.0, 1.0],)),
    "sort[1,1].w=(1,2)": Probe("dot(sort(x), [1, 2])", ([1.0, 1.0],)),
    "topk1[1,1]": Probe("topk(x, 1)[0]", ([1.0, 1.0],)),
    "logaddexp(0,0)": Probe("logaddexp(x, y)", (0.0, 0.0)),
    "logsumexp[0,0]": Probe("logsumexp(x)", (_ZERO,)),
    "xlogy(0,2)": Probe("xlogy(x, y)", (0.0, 2.0)),
    "xlogy(0,0)": Probe("xlogy(x, y)", (0.0, 0.0)),
    "x*log(x)@0": Probe("x*log(x)", (0.0,)),
    "sinc@0": Probe("1 if x == 0 else sin(pi*x)/(pi*x)", (0.0,)),
    "prod[0,2,3]": Probe("prod(x)", ([0.0, 2.0, 3.0],)),
    "sum cumprod[0,2,3]": Probe("x[0] + x[0]*x[1] + x[0]*x[1]*x[2]", ([0.0, 2.0, 3.0],)),
    "softplus_hand@0": Probe(_SOFTPLUS, (0.0,)),
    "relu(x)-relu(-x)@0": Probe("relu(x) - relu(-x)", (0.0,)),
    "max(x,0)+min(x,0)@0": Probe("max(x, 0) + min(x, 0)", (0.0,)),
    "relu(x)+relu(-x)@0": Probe("relu(x) + relu(-x)", (0.0,)),
    "where(x==0,0,x)@0": Probe("where(x == 0, 0, x)", (0.0,)),
    "sign(x)*abs(x)@0": Probe("sign(x)*abs(x)", (0.0,)),
    "x*abs(x)@0": Probe("x*abs(x)", (0.0,)),
    "relu(x)**2@0": Probe("relu(x)**2", (0.0,)),
    "where(x>0,sqrt x,0)@-1": Probe("where(x > 0, sqrt(x), 0)", (-1.0,)),
    "where(x>0,log x,0)@-1": Probe("where(x > 0, log(x), 0)", (-1.0,)),
    "acos(clip(x,-1,1))@1": Probe("acos(clip(x, -1, 1))", (1.0,)),
    "d2 abs**2@0": Probe("abs(x)**2", (0.0,), 2),
    "d2 relu@0": Probe("relu(x)", (0.0,), 2),
    "d2 abs@0": Probe("abs(x)", (0.0,), 2),
    "d2 relu**2@0": Probe("relu(x)**2", (0.0,), 2),
}

# Where a library writes a probe by another of its operations: its own rectifier, or a clamp.
BODIES: dict[tuple[str, str], str] = {
    ("pytorch", "softplus_hand@0"): "relu(x) + log(1 + exp(-abs(x)))",
    ("tensorflow", "softplus_hand@0"): "relu(x) + log(1 + exp(-abs(x)))",
}
