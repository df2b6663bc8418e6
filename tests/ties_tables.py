"""Whole expressions of data/ties.json.gz that are idioms or library functions -> bodies of .cf programs.

A library function that the language has not is written out as its documentation defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias


def _entries(name: str, positions: Iterable[int]) -> str:
    return "[" + ", ".join(f"{name}[{position}]" for position in positions) + "]"


def _sorted_reversed(n: int) -> str:
    return f"s = sort(x)\nreturn {_entries('s', reversed(range(n)))}"


def _dot_sorted(n: int) -> str:
    return f"return dot({list(range(n))}, sort(x))"


def _dot_descending(n: int) -> str:
    return f"return dot({list(range(n))}, sort(x, descending=True))"


def _product(n: int) -> str:
    return "return " + "*".join(f"x[{index}]" for index in range(n))


def _running_maximum(n: int) -> str:
    """tf.scan of tf.maximum."""
    lines = ["m0 = x[0]", *(f"m{index} = max(m{index - 1}, x[{index}])" for index in range(1, n))]
    return "\n".join([*lines, f"return [{', '.join(f'm{index}' for index in range(n))}]"])


def _running_product(n: int) -> str:
    lines = ["p0 = x[0]", *(f"p{index} = p{index - 1}*x[{index}]" for index in range(1, n))]
    return "\n".join([*lines, f"return [{', '.join(f'p{index}' for index in range(n))}]"])


def _running_logsumexp(n: int) -> str:
    return f"return [{', '.join(f'logsumexp(x[0:{index + 1}])' for index in range(n))}]"


def _simplex(positive_part: str) -> Callable[[int], str]:
    """Projection onto the simplex by sorting, written out: the number of positive entries is found by comparisons."""

    def body(n: int) -> str:
        lines, total, theta = ["s = sort(x)"], "", ""
        for count in range(1, n + 1):
            total = f"{total} + s[{n - count}]".removeprefix(" + ")
            own = f"({total} - 1)/{count}"
            theta = own if not theta else f"({own} if {count}*s[{n - count}] > {total} - 1 else {theta})"
        entries = (positive_part.format(f"x[{index}] - theta") for index in range(n))
        return "\n".join([*lines, f"theta = {theta}", f"return [{', '.join(entries)}]"])

    return body


def _norm(exponent: str, *, guarded: bool) -> Callable[[int], str]:
    """A p-norm as a formula; guarded: entries and norms that are 0 do not pass through the power (torch)."""

    def body(n: int) -> str:
        if not guarded:
            return f"return sum(abs(x)**{exponent})**(1/{exponent})"
        terms = " + ".join(f"(0 if x[{index}] == 0 else abs(x[{index}])**{exponent})" for index in range(n))
        return f"s = {terms}\nreturn 0 if s == 0 else s**(1/{exponent})"

    return body


def _count_nonzero(n: int) -> str:
    return "return " + " + ".join(f"(1 if x[{index}] != 0 else 0)" for index in range(n))


def _flat(template: str) -> Callable[[int], str]:
    """A body that names the length: {n}, {h} is the index of the lower middle."""
    return lambda n: "return " + template.format(n=n, h=(n - 1) // 2)


def _padded(n: int) -> str:
    """Windows of three with stride one, padded by what never wins."""
    return f"return maxpool([-inf, {', '.join(f'x[{index}]' for index in range(n))}, -inf], 3, 1)"


_LINEAR_ALGEBRA = ("anp.linalg", "ca", "jnp.linalg", "pt.linalg", "tf.linalg", "torch.linalg")
_NORMS = ("anp.linalg.norm", "jnp.linalg.norm", "pt.linalg.norm", "tf.norm")
_DETERMINANT = "return x[0, 0]*x[1, 1] - x[0, 1]*x[1, 0]"
_LINEAR_RIGHT = "return x if x < 1 else 2 - x"
_LINEAR_LEFT = "return x if x <= 1 else 2 - x"
_STEPS = "return 0 if x < 0 else (5 if x < 1 else (7 if x < 2 else 9))"
_NAN_TO_NUM = """\
t = 1/x
a = where(t != t, 0, t)
b = where(a == inf, 1.7976931348623157e308, a)
return where(b == -inf, -1.7976931348623157e308, b)"""
_SEGMENTS = "return [max(x[0:2]), max(x[2:3])]"
_SCATTERED = "return [max([x[0], y[0], y[1]]), x[1]]"
_STANDARDIZE = "m = mean(x)\nreturn (x - m)/sqrt(mean(x*x) - m*m + 1e-5)"
_RELATIVE_ENTROPY = "x*log(x/y) if x > 0 and y > 0 else 0"
_ZEROS = "tf.zeros_like(tf.reshape(x,[1])),tf.reshape(x,[1])"
_ONES = "tf.ones_like(tf.reshape(x,[1])),tf.reshape(x,[1])"

Body: TypeAlias = str | Callable[[int], str]

# (framework or "" for all, expression) -> body of the program, or a function of the length that makes it.
WHOLE: dict[tuple[str, str], Body] = {
    # the same idiom spelled otherwise
    ("", "torch.nn.ReLU(inplace=True)(x.clone())"): "return relu(x)",
    ("", "F.prelu(x.reshape(1),y.reshape(1)).reshape(())"): "return prelu(x, y)",
    ("", "tf.nn.crelu(tf.reshape(x,[1]))"): "return [relu(x), relu(-x)]",
    ("", "torch.relu(torch.stack([x,-x]))"): "return relu([x, -x])",
    ("", "jnp.clip(x,0.)"): "return max(x, 0)",
    ("", "x.clip(0.)"): "return clip(x, 0, inf)",
    ("", "torch.clamp(x,min=0.)"): "return clip(x, 0, inf)",
    ("", "torch.clamp(x,min=Z(x))"): "return clamp_min(x, 0)",
    ("", "torch.clamp(x,-O(x),O(x))"): "return clamp(x, -1, 1)",
    ("", "torch.clamp(x,O(x),O(x))"): "return clamp(x, 1, 1)",
    ("", "torch.clamp(x,O(x),-O(x))"): "return clamp(x, 1, -1)",
    ("", "torch.clamp(x,y,z)"): "return clamp(x, y, z)",
    ("", "ca.conditional(x>0,[0.],x)"): "return where(x > 0, x, 0)",
    ("", "ca.if_else(x>0,x,0.,True)"): "return where(x > 0, x, 0)",
    ("", "lax.select(x>0,x,jnp.zeros_like(x))"): "return where(x > 0, x, 0)",
    ("", "jnp.where(x>=0,x,y*x)"): "return where(x >= 0, x, y*x)",
    ("", "jnp.modf(x)[0]"): "return x - trunc(x)",
    ("", "torch.div(x,y,rounding_mode='trunc')"): "return trunc(x/y)",
    ("", "tf.math.multiply_no_nan(x,tf.zeros_like(x))"): "return 0",
    ("", "tf.math.multiply_no_nan(tf.math.log(x),x)"): "return 0 if x == 0 else log(x)*x",
    ("", "keras.ops.logit(x) if hasattr(keras.ops,'logit') else onp.log(x/(1.-x))"): "return log(x/(1 - x))",
    # extrema and orderings
    ("", "lax.reduce(x,-jnp.inf,lax.max,(0,))"): "return max(x)",
    ("", "tf.math.reduce_max(tf.reshape(x,[1,-1]))"): "return max(x)",
    ("", "torch.aminmax(x).max"): "return max(x)",
    ("", "torch.aminmax(x).min"): "return min(x)",
    ("", "torch.max(x,dim=0).values"): "return x[argmax(x)]",
    ("", "torch.min(x,dim=0).values"): "return x[argmin(x)]",
    ("", "x[anp.argmax(x)]"): "return x[argmax(x)]",
    ("", "x[jnp.argmax(x)]"): "return x[argmax(x)]",
    ("", "x[pt.argmax(x)]"): "return x[argmax(x)]",
    ("", "x[x.argmax()]"): "return x[argmax(x)]",
    ("", "x[torch.argmax(x)]"): "return x[argmax(x)]",
    ("", "tf.gather(x,tf.argmax(x))"): "return x[argmax(x)]",
    ("", "pt.argmin(x)"): "return argmin(x)",
    ("", "torch.argmin(x)"): "return argmin(x)",
    ("", "torch.sort(x).values"): "return sort(x)",
    ("", "torch.sort(x,stable=True).values"): "return sort(x)",
    ("", "torch.sort(x).values[-1]"): _flat("sort(x)[{n} - 1]"),
    ("", "anp.sort(x)[::-1]"): "return sort(x, descending=True)",
    ("", "jnp.sort(x)[::-1]"): _sorted_reversed,
    ("", "jnp.sort(x,descending=True)"): "return sort(x, descending=True)",
    ("", "pt.sort(x)[::-1]"): "return sort(x, descending=True)",
    ("", "tf.sort(x,direction='DESCENDING')"): "return sort(x, descending=True)",
    ("", "torch.sort(x,descending=True).values"): "return sort(x, descending=True)",
    ("", "x.sort()[0]"): "return sort(x)",
    ("", "x.sort()[0][-1]"): _flat("sort(x)[{n} - 1]"),
    ("", "x.sort(descending=True)[0]"): "return sort(x, descending=True)",
    ("", "x.topk(1)[0]"): "return topk(x, 1)",
    ("", "x.topk(2)[0]"): "return topk(x, 2)",
    ("", "(x.sort()[0]*Tensor.arange(x.shape[0]).cast(x.dtype)).sum()"): _dot_sorted,
    ("", "anp.dot(np.arange(x.shape[0])*1.,anp.sort(x))"): _dot_sorted,
    ("", "jnp.dot(jnp.arange(x.shape[0])*1.,jnp.sort(x))"): _dot_sorted,
    ("", "pt.dot(pt.arange(x.shape[0])*1.,pt.sort(x))"): _dot_sorted,
    ("", "tf.reduce_sum(tf.range(x.shape[0],dtype=x.dtype)*tf.sort(x))"): _dot_sorted,
    (
        "",
        "tf.reduce_sum(tf.range(x.shape[0],dtype=x.dtype)*tf.sort(x,direction='DESCENDING'))",
    ): _dot_descending,
    ("", "torch.dot(torch.arange(x.shape[0],dtype=x.dtype),torch.sort(x).values)"): _dot_sorted,
    (
        "",
        "torch.dot(torch.arange(x.shape[0],dtype=x.dtype),torch.sort(x,descending=True).values)",
    ): _dot_descending,
    ("", "anp.sort(x)[-1:]"): _flat("[sort(x)[{n} - 1]]"),
    ("", "anp.sort(x)[::-1][:2]"): _flat("[sort(x)[{n} - 1], sort(x)[{n} - 2]]"),
    ("", "lax.top_k(x,1)[0]"): "return topk(x, 1)",
    ("", "lax.top_k(x,2)[0]"): "return topk(x, 2)",
    ("", "tf.math.top_k(x,1)[0]"): "return topk(x, 1)",
    ("", "tf.math.top_k(x,2)[0]"): "return topk(x, 2)",
    ("", "torch.topk(x,1).values"): "return topk(x, 1)",
    ("", "torch.topk(x,2).values"): "return topk(x, 2)",
    ("", "torch.median(x,dim=0).values"): _flat("sort(x)[{h}]"),
    ("", "torch.kthvalue(x,(x.shape[0]+1)//2).values"): _flat("sort(x)[{h}]"),
    ("", "torch.nanmedian(x)"): "return median(x)",
    ("", "anp.partition(x,(x.shape[0]-1)//2)[(x.shape[0]-1)//2]"): _flat("sort(x)[{h}]"),
    # pooling and scanning
    ("", "lax.reduce_window(x,-jnp.inf,lax.max,(2,),(2,),'VALID')"): "return maxpool(x, 2, 2)",
    ("", "lax.reduce_window(x,-jnp.inf,lax.max,(2,),(1,),'VALID')"): "return maxpool(x, 2, 1)",
    ("", "lax.reduce_window(x,-jnp.inf,lax.max,(2,2),(2,2),'VALID')"): "return maxpool(x, 2, 2)",
    ("", "lax.reduce_window(x,-jnp.inf,lax.max,(2,2),(1,1),'VALID')"): "return maxpool(x, 2, 1)",
    ("", "tf.nn.max_pool1d(x[None,:,None],2,2,'VALID')[0,:,0]"): "return maxpool(x, 2, 2)",
    ("", "tf.nn.max_pool1d(x[None,:,None],2,1,'VALID')[0,:,0]"): "return maxpool(x, 2, 1)",
    ("", "tf.nn.max_pool2d(x[None,:,:,None],2,2,'VALID')[0,:,:,0]"): "return maxpool(x, 2, 2)",
    ("", "tf.nn.max_pool2d(x[None,:,:,None],2,1,'VALID')[0,:,:,0]"): "return maxpool(x, 2, 1)",
    ("", "tf.nn.max_pool_with_argmax(x[None,:,:,None],2,2,'VALID')[0][0,:,:,0]"): "return maxpool(x, 2, 2)",
    ("", "F.max_pool1d(x[None,None],2,2)[0,0]"): "return maxpool(x, 2, 2)",
    ("", "F.max_pool1d(x[None,None],2,1)[0,0]"): "return maxpool(x, 2, 1)",
    ("", "F.max_pool2d(x[None,None],2)[0,0]"): "return maxpool(x, 2, 2)",
    ("", "F.max_pool2d(x[None,None],2,1)[0,0]"): "return maxpool(x, 2, 1)",
    ("", "x.reshape(1,1,1,-1).max_pool2d((1,2),(1,2)).reshape(-1)"): "return maxpool(x, 2, 2)",
    ("", "x.reshape(1,1,1,-1).max_pool2d((1,2),(1,1)).reshape(-1)"): "return maxpool(x, 2, 1)",
    ("", "x.reshape(1,1,2,2).max_pool2d(2).reshape(1,1)"): "return maxpool(x, 2, 2)",
    ("", "x.reshape(1,1,3,3).max_pool2d(2,1).reshape(2,2)"): "return maxpool(x, 2, 1)",
    ("", "lax.reduce_window(x,-jnp.inf,lax.max,(3,),(1,),'SAME')"): _padded,
    ("", "tf.nn.max_pool1d(x[None,:,None],3,1,'SAME')[0,:,0]"): _padded,
    ("", "F.max_pool1d(x[None,None],3,1,1)[0,0]"): _padded,
    ("", "x.reshape(1,1,1,-1).max_pool2d((1,3),(1,1),padding=(0,1)).reshape(-1)"): _padded,
    ("", "lax.cummin(x)"): "return -cummax(-x)",
    ("", "torch.cummax(x,0).values"): "return cummax(x)",
    ("", "torch.cummin(x,0).values"): "return -cummax(-x)",
    ("", "x.cummax(0)[0] if isinstance(x.cummax(0),tuple) else x.cummax(0)"): "return cummax(x)",
    ("", "x.cummin(0)[0] if hasattr(x,'cummin') else None"): "return -cummax(-x)",
    ("", "tf.scan(lambda a,b: tf.maximum(a,b),x)"): _running_maximum,
    ("", "jax.ops.segment_max(x,jnp.array([0,0,1]),2)"): _SEGMENTS,
    ("", "tf.math.segment_max(x,tf.constant([0,0,1]))"): _SEGMENTS,
    ("", "tf.math.unsorted_segment_max(x,tf.constant([0,0,1]),2)"): _SEGMENTS,
    (
        "",
        "torch.full((2,),-math.inf,dtype=x.dtype)"
        ".scatter_reduce(0,torch.tensor([0,0,1]),x,'amax',include_self=False)",
    ): _SEGMENTS,
    ("", "torch.segment_reduce(x,'max',lengths=torch.tensor([2,1]))"): _SEGMENTS,
    ("", "x.at[jnp.array([0,0])].max(y)"): _SCATTERED,
    ("", "tf.tensor_scatter_nd_max(x,[[0],[0]],y)"): _SCATTERED,
    ("", "x.scatter_reduce(0,torch.tensor([0,0]),y,'amax')"): _SCATTERED,
    ("", "x.index_reduce(0,torch.tensor([0,0]),y,'amax')"): _SCATTERED,
    ("", "x.scatter_reduce(0,Tensor([0,0]),y,'amax')"): "return [max(x[0], max(y)), x[1]]",
    # reductions
    ("", "x[0]*x[1]*x[2] if x.shape[0]==3 else x[0]*x[1]"): _product,
    ("", "jnp.cumprod(x)"): _running_product,
    ("", "pt.cumprod(x)"): _running_product,
    ("", "tf.math.cumprod(x)"): _running_product,
    ("", "torch.cumprod(x,0)"): _running_product,
    ("", "x.cumprod(0)"): _running_product,
    ("", "lax.cumlogsumexp(x)"): _running_logsumexp,
    ("", "tf.math.cumulative_logsumexp(x)"): _running_logsumexp,
    ("", "x.logcumsumexp()"): _running_logsumexp,
    ("", "torch.logsumexp(x,0)"): "return logsumexp(x)",
    ("", "torch.softmax(x,0)"): "return softmax(x)",
    ("", "torch.log_softmax(x,0)"): "return log_softmax(x)",
    ("", "torch.logcumsumexp(x,0)"): _running_logsumexp,
    ("", "torch.std(x)"): "return std(x, ddof=1)",
    ("", "torch.std(x,correction=0)"): "return std(x)",
    ("", "x.std()"): "return std(x, ddof=1)",
    ("", "x.var()"): "return var(x, ddof=1)",
    # norms
    ("", "anp.linalg.norm(x)"): "return norm2(x)",
    ("", "jnp.linalg.norm(x)"): "return norm2(x)",
    ("", "jnp.linalg.norm(x,2)"): "return norm2(x)",
    ("", "pt.linalg.norm(x)"): "return norm2(x)",
    ("", "tf.norm(x)"): "return norm2(x)",
    ("", "tf.norm(x,'fro',axis=(0,1))"): "return norm2(x)",
    ("", "optax.safe_norm(x,0.)"): "return 0 if max(abs(x)) == 0 else norm2(x)",
    ("", "anp.linalg.norm(x,np.inf)"): "return norminf(x)",
    ("", "jnp.linalg.norm(x,jnp.inf)"): "return norminf(x)",
    ("", "pt.linalg.norm(x,np.inf)"): "return norminf(x)",
    ("", "tf.norm(x,np.inf)"): "return norminf(x)",
    ("", "torch.linalg.vector_norm(x,math.inf)"): "return norminf(x)",
    ("", "torch.norm(x,math.inf)"): "return norminf(x)",
    ("", "jnp.linalg.norm(x,0)"): _count_nonzero,
    ("", "torch.linalg.vector_norm(x,0)"): _count_nonzero,
    **{("", f"{norm}(x,3)"): _norm("3.0", guarded=False) for norm in _NORMS},
    **{("", f"{norm}(x,1.5)"): _norm("1.5", guarded=False) for norm in _NORMS},
    **{("", f"{norm}(x,.5)"): _norm("0.5", guarded=False) for norm in _NORMS},
    ("", "torch.linalg.vector_norm(x,3)"): _norm("3.0", guarded=True),
    ("", "torch.linalg.vector_norm(x,1.5)"): _norm("1.5", guarded=True),
    ("", "torch.linalg.vector_norm(x,.5)"): _norm("0.5", guarded=True),
    ("", "jax.nn.standardize(x)"): _STANDARDIZE,
    ("", "tf.math.l2_normalize(x)"): "return x/sqrt(max(sum(x*x), 1e-12))",
    ("", "tf.linalg.normalize(x)[0]"): "return x/norm2(x)",
    ("", "x.normalize(dim=0) if hasattr(x,'normalize') else None"): "return x/max(sqrt(sum(x*x)), 1e-12)",
    ("", "F.normalize(x,dim=0)"): "return x/clip(norm2(x), 1e-12, inf)",
    ("", "F.pairwise_distance(x[None],y[None])[0]"): "return norm2(x - y + 1e-6)",
    ("", "F.pairwise_distance(x[None],y[None],eps=0.)[0]"): "return norm2(x - y)",
    ("", "torch.cdist(x[None],y[None])[0,0]"): "return norm2(x - y)",
    **{("", f"{module}.det(x)"): _DETERMINANT for module in _LINEAR_ALGEBRA},
    # where and losses
    ("", "anp.nan_to_num(1./x)"): _NAN_TO_NUM,
    ("", "jnp.nan_to_num(1./x)"): _NAN_TO_NUM,
    ("", "torch.nan_to_num(1./x)"): _NAN_TO_NUM,
    ("", f"keras.losses.huber({_ZEROS})"): "return huber(x)",
    ("", "F.huber_loss(x,Z(x),reduction='none')"): "return huber(x)",
    ("", "F.smooth_l1_loss(x,Z(x),reduction='none')"): "return huber(x)",
    ("", "F.smooth_l1_loss(x,Z(x),beta=0.,reduction='none')"): "return abs(x)",
    ("", f"keras.losses.mean_absolute_error({_ZEROS})"): "return abs(x - 0)",
    ("", "F.l1_loss(x,Z(x),reduction='none')"): "return abs(x - 0)",
    ("", f"keras.losses.mean_squared_error({_ZEROS})"): "return (x - 0)**2",
    ("", "F.mse_loss(x,Z(x),reduction='none')"): "return (x - 0)**2",
    ("", "optax.hinge_loss(x,1.)"): "return hinge(x)",
    ("", f"keras.losses.hinge({_ONES})"): "return hinge(x)",
    ("", "F.hinge_embedding_loss(x,-O(x),reduction='none')"): "return hinge(x)",
    (
        "",
        "F.soft_margin_loss(x,O(x),reduction='none')*0"
        "+F.margin_ranking_loss(x,Z(x),O(x),margin=1.,reduction='none')",
    ): "return log(1 + exp(-x))*0 + clip(-(x - 0) + 1, 0, inf)",
    ("", f"keras.losses.binary_crossentropy({_ONES})"): "return -log(clip(x, 1e-7, 1 - 1e-7))",
    ("", "F.binary_cross_entropy(x,O(x),reduction='none')"): "return -max(log(x), -100)",
    ("", "x.binary_crossentropy(x.full_like(1.))"): "return -log(x) - 0*log(1 - x)",
    ("", "optax.sigmoid_binary_cross_entropy(x,1.)"): "return softplus(-x)",
    ("", "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(x),logits=x)"): "return softplus(-x)",
    ("", "x.binary_crossentropy_logits(x.full_like(1.))"): "return softplus(-x)",
    ("", "F.binary_cross_entropy_with_logits(x,O(x),reduction='none')"): "return softplus(-x)",
    ("", "F.margin_ranking_loss(x,y,O(x),reduction='none')"): "return clip(-(x - y), 0, inf)",
    (
        "",
        "F.multi_margin_loss(x[None],torch.tensor([1]))",
    ): "return (relu(1 - x[1] + x[0]) + relu(1 - x[1] + x[2]))/3",
    ("", "jax.scipy.special.rel_entr(x,y)"): f"return {_RELATIVE_ENTROPY}",
    ("", "jax.scipy.special.kl_div(x,y)"): f"return ({_RELATIVE_ENTROPY}) - x + y",
    ("", "F.kl_div(y,x,reduction='none')"): "return xlogy(x, x) - x*y",
    # projections and interpolation
    ("autograd", "simplex(x)"): _simplex("max({0}, 0)"),
    ("jax", "simplex(x)"): _simplex("max({0}, 0)"),
    ("tensorflow", "simplex(x)"): _simplex("max({0}, 0)"),
    ("torch", "simplex(x)"): _simplex("clip({0}, 0, inf)"),
    ("", "optax.projections.projection_simplex(x)"): _simplex("relu({0})"),
    ("", "K.sparsemax(x)"): _simplex("max({0}, 0)"),
    ("", "ca.interpolant('lut','linear',[[0.,1.,2.]],[0.,1.,0.])(x)"): _LINEAR_RIGHT,
    (
        "",
        "jnp.interp(x,jnp.array([0.,1.,2.]),jnp.array([0.,1.,0.]))",
    ): "return 0 if x < 0 else (x if x < 1 else (2 - x if x <= 2 else 0))",
    ("", "pl(x,'left')"): _LINEAR_LEFT,
    ("", "pl(x,'right')"): _LINEAR_RIGHT,
    ("", "ca.pw_lin(x,ca.DM([0.,1.,2.]),ca.DM([0.,1.,0.]))"): _LINEAR_RIGHT,
    ("", "ca.pw_const(x,ca.DM([0.,1.,2.]),ca.DM([0.,5.,7.,9.]))"): _STEPS,
    (
        "",
        "np.array([0.,5.,7.,9.])[int(np.searchsorted(np.array([0.,1.,2.]),getval(x),side='right'))]",
    ): _STEPS,
    ("", "jnp.array([0.,5.,7.,9.])[jnp.searchsorted(jnp.array([0.,1.,2.]),x,side='right')]"): _STEPS,
    (
        "",
        "torch.tensor([0.,5.,7.,9.],dtype=x.dtype)"
        "[torch.searchsorted(torch.tensor([0.,1.,2.],dtype=x.dtype),x.detach(),right=True)]",
    ): _STEPS,
}
