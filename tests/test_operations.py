"""Every public operation beside PyTorch's, on generated inputs (tables in `operations`)."""

from __future__ import annotations

import numpy as np
import pytest
from operations import OPERATIONS, compare

import tinygrad_rnn as tg

X = np.array([[0.5, -0.75, 0.25], [0.125, 0.625, -0.5], [-0.25, 0.375, 0.875]])
Y = np.array([[1.5, 0.5, 2.0], [-0.75, 1.25, 0.5], [0.5, -2.0, 1.0]])
INDEX = np.array([[2, 0, 1], [1, 2, 0], [0, 1, 2]])


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name, torch):
    """All calls of one operation; what disagrees is reported together."""
    failures = []
    for call in OPERATIONS[name]:
        try:
            compare(call.fn, call.arrays, torch, str(call), call.tolerance)
        except AssertionError as error:
            failures.append(f"{call}\n{error}")
    assert not failures, f"{len(failures)} of {len(OPERATIONS[name])}:\n\n" + "\n\n".join(failures)


# What is promised: every one of these has calls in the table, and stands where PyTorch has it.
LISTED = """
    add sub rsub mul div floor_divide remainder fmod pow neg abs square reciprocal sqrt rsqrt exp
    expm1 log log1p log2 log10 sin cos tan sinh cosh tanh asin acos atan atan2 sigmoid sign floor
    ceil round trunc erf logaddexp clamp maximum minimum where masked_fill eq ne lt le gt ge
    logical_and logical_or logical_xor logical_not isnan isinf isfinite isclose allclose equal
    matmul mm bmm mv dot addmm addmv baddbmm outer inner einsum tensordot trace norm
    sum mean prod var std var_mean std_mean amax amin max min median argmax argmin all any
    logsumexp cumsum cumprod count_nonzero sort argsort topk diff
    reshape view view_as reshape_as flatten unflatten ravel transpose t permute movedim squeeze
    unsqueeze expand expand_as broadcast_to broadcast_tensors clone contiguous cat stack hstack
    vstack split chunk tensor_split unbind flip roll repeat tile repeat_interleave tril triu diag
    diagonal select narrow index_select gather scatter scatter_add index_add index_put
    take_along_dim masked_select nonzero
    true_divide clamp_min clamp_max split_with_sizes exp2 asinh acosh atanh logit xlogy nan_to_num
    lerp addcmul addcdiv meshgrid take unique isin scatter_reduce
    kthvalue mode quantile nanquantile msort aminmax cummax cummin searchsorted bucketize
    dstack column_stack block_diag hsplit vsplit dsplit rot90 diag_embed cross kron dist cdist
    cartesian_prod combinations cov corrcoef histc trapezoid cumulative_trapezoid trapz
    logcumsumexp
    index_copy index_fill masked_scatter unique_consecutive
    det inverse logdet slogdet matrix_exp matrix_power pinverse
    tensor as_tensor from_numpy zeros ones full eye arange linspace logspace empty zeros_like
    ones_like full_like empty_like rand_like new_tensor new_zeros new_ones new_full new_empty
""".split()
LAYERS = """
    relu relu6 leaky_relu prelu elu selu silu gelu softplus softsign hardtanh logsigmoid mish glu
    celu hardsigmoid hardswish
    softmax log_softmax softmin dropout linear bilinear embedding layer_norm one_hot pad normalize
    cosine_similarity mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss
    binary_cross_entropy binary_cross_entropy_with_logits kl_div
""".split()
IN_PLACE = """
    add_ sub_ mul_ div_ floor_divide_ remainder_ fmod_ pow_ neg_ abs_ square_ reciprocal_ sqrt_
    rsqrt_ exp_ expm1_ log_ log1p_ log2_ log10_ sin_ cos_ tan_ sinh_ cosh_ tanh_ asin_ acos_ atan_
    atan2_ sigmoid_ relu_ sign_ floor_ ceil_ round_ trunc_ erf_ clamp_ masked_fill_ eq_ ne_ lt_ le_
    gt_ ge_ logical_and_ logical_or_ logical_xor_ logical_not_ addmm_ addmv_ baddbmm_ cumsum_
    cumprod_ tril_ triu_ scatter_ scatter_add_ index_add_ index_put_ copy_ fill_ zero_ detach_
    requires_grad_ true_divide_ addcmul_ addcdiv_ lerp_ exp2_ xlogy_ logit_ asinh_ acosh_ atanh_
    clip_ clamp_min_ clamp_max_ nan_to_num_ bitwise_and_ bitwise_or_ bitwise_xor_ bitwise_not_
    scatter_reduce_ index_copy_ index_fill_ masked_scatter_ fill_diagonal_
""".split()


@pytest.mark.parametrize("name", LISTED + LAYERS)
def test_listed(name, torch):
    assert name in OPERATIONS, "no calls beside PyTorch's"
    first = (tg.nn.functional, torch.nn.functional) if name in LAYERS else (tg, torch)
    for ours, theirs in [first, (tg.Tensor, torch.Tensor)]:
        assert hasattr(ours, name) or not hasattr(theirs, name), ours


@pytest.mark.parametrize("name", IN_PLACE)
def test_listed_in_place(name, torch):
    assert hasattr(torch.Tensor, name)
    assert callable(getattr(tg.Tensor, name))


# In-place methods of functions of one tensor, and of more with what follows it.
MORE = {
    "add_": [2.0], "sub_": [Y], "mul_": [Y], "div_": [Y], "floor_divide_": [2], "remainder_": [Y],
    "fmod_": [Y], "pow_": [2], "atan2_": [Y], "clamp_": [-0.5, 0.7], "masked_fill_": [Y > 1, 0.5],
    "eq_": [Y], "ne_": [Y], "lt_": [Y], "le_": [Y], "gt_": [Y], "ge_": [Y], "logical_and_": [Y],
    "logical_or_": [Y], "logical_xor_": [Y], "addmm_": [X, X], "addmv_": [X, Y[0]],
    "baddbmm_": [X, X], "cumsum_": [0], "cumprod_": [1], "tril_": [1], "triu_": [],
    "scatter_": [1, INDEX, Y], "scatter_add_": [1, INDEX, Y], "index_add_": [0, INDEX[0], Y],
    "true_divide_": [Y], "addcmul_": [X, Y], "addcdiv_": [X, Y], "lerp_": [Y, 0.25],
    "xlogy_": [Y**2], "logit_": [0.1], "clip_": [-0.5, 0.7], "clamp_min_": [0.1], "clamp_max_": [Y],
    "scatter_reduce_": [1, INDEX, Y, "amax"], "bitwise_and_": [INDEX], "bitwise_or_": [1],
    "bitwise_xor_": [INDEX], "index_put_": [(INDEX[0],), Y], "copy_": [Y], "fill_": [2.0],
    "index_copy_": [0, INDEX[0], Y], "index_fill_": [1, INDEX[0, :2], 0.5],
    "masked_scatter_": [Y > 1, Y], "fill_diagonal_": [0.5],
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name in IN_PLACE if name[:-1] not in ("detach", "requires_grad")]
)
def test_in_place(name, torch):
    def fn(lib, x, *_):
        more = [
            tuple(lib.from_numpy(i) for i in m) if isinstance(m, tuple)
            else lib.from_numpy(m) if isinstance(m, np.ndarray) else m
            for m in MORE.get(name, [])
        ]  # fmt: skip
        if name in ("floor_divide_", "asinh_", "acosh_", "atanh_") or name.startswith("logical"):
            x = x.detach()  # PyTorch has no derivative, or keeps that of what x was
        if name.startswith("bitwise"):
            x = (x.detach() * 8).to(lib.int64)
        if name == "addmv_":
            x = x[0]
        if name == "baddbmm_":
            x, more = x[None], [m[None] for m in more]
        y = x * 1
        answer = getattr(y, name)(*more)
        return answer, y, y * 2

    compare(fn, [X], torch, name, None)
