"""Random calls by PyTorch's own signatures: every overload of every function that both have.

PyTorch tells the arguments of its functions, their order, types and defaults in stub files. Calls
are drawn from these: arguments by position or by name, left out where they may be, now and then of
a wrong type. Where PyTorch answers, the answer here must be the same, with its gradients; where
it refuses, it must be refused here, unless the difference is one that is meant.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from cases import assert_same, leaf, outcome
from operations.harness import gradients, tensors

import tinygrad_rnn as tg

CALLS = 3000

# -- which functions there are -------------------------------------------------------------------

RANDOM = """
    rand randn rand_like randn_like randint randint_like randperm normal bernoulli bernoulli_
    multinomial normal_ uniform_ exponential_ random_ dropout empty empty_like new_empty
""".split()
NO_FUNCTIONS_OF_TENSORS = """
    set_default_tensor_type new
    set_default_dtype manual_seed seed data_ptr storage_offset stride backward numpy cuda from_numpy
    get_default_dtype tolist is_contiguous type as_tensor tensor new_tensor is_grad_enabled
    register_hook result_type promote_types linspace logspace
""".split()
OTHERWISE = {
    **dict.fromkeys("eq_ ne_ lt_ le_ gt_ ge_".split(), "keeps the gradient of what x was"),
    **dict.fromkeys("logical_and_ logical_or_ logical_xor_ logical_not_".split(), "the same"),
    **dict.fromkeys("asinh_ acosh_ atanh_".split(), "has no derivative"),
    **dict.fromkeys("floor_divide floor_divide_ remainder".split(), "has no derivative"),
    **dict.fromkeys("std std_mean var var_mean logsumexp".split(), "contradicts itself for dim=()"),
    **dict.fromkeys("pow logaddexp atan2 atan2_ arctan2".split(), "wrong beside integers"),
    **dict.fromkeys("addcmul addcmul_ addcdiv addcdiv_".split(), "wrong beside integers"),
    **dict.fromkeys("take_along_dim gather scatter".split(), "does not look at all indices"),
    **dict.fromkeys(
        "softmax log_softmax median tile roll cat concat cummax cummin".split(), "lax if empty"
    ),
    **dict.fromkeys("cumsum_ cumprod_".split(), "lax if empty"),
    "cov": "trips over weights that require grad",
    "searchsorted": "searches what is not in order in its own way",
    "subtract": "takes its alpha by position, too",
    **dict.fromkeys("scatter_ index_put index_put_".split(), "gives overwritten values gradients"),
    "repeat_interleave": "has another meaning for repeats alone",
    **dict.fromkeys("topk kthvalue".split(), "leaves the order of ties open"),
    "dist": "gives nothing, not zeros, for p = 0",
    "tensor_split": "calls an argument otherwise if it is a tensor",
    "scatter_reduce": "fails in backward if the index is smaller than the source",
    "view": "of another type of elements is refused here",
    "unique": "keeps requires_grad, but has no derivative",
}
"""What PyTorch does otherwise, and why that is not followed (see docs/differences.md)."""

# Arguments that are drawn by no test here: they say where a result goes, or where tensors live.
ELSEWHERE = """
    out device layout pin_memory generator memory_format names sparse_grad out_dtype non_blocking
    implicit
""".split()
DEPRECATED = {"alpha", "beta", "value"}  # in the middle, by position, as they once were


class Parameter(NamedTuple):
    """One argument of one overload."""

    name: str
    type: str
    may_miss: bool
    by_name_only: bool


class Overload(NamedTuple):
    """One way to call a function, or a method of a tensor."""

    place: str
    name: str
    parameters: list[Parameter]

    def __str__(self) -> str:
        return f"{self.place}.{self.name}"


def overloads(torch: Any) -> list[Overload]:
    """All that PyTorch's stub files say of functions that are here too."""
    folder = Path(torch.__file__).parent / "_C"
    functions = ast.parse((folder / "_VariableFunctions.pyi").read_text(encoding="utf-8")).body
    classes = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8")).body
    methods = next(c.body for c in classes if getattr(c, "name", "") == "TensorBase")
    left_out = {*RANDOM, *NO_FUNCTIONS_OF_TENSORS, *OTHERWISE}
    return [
        Overload(place, node.name, parameters)
        for place, nodes, ours in [("torch", functions, tg), ("Tensor", methods, tg.Tensor)]
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.name not in left_out
        and hasattr(ours, node.name)
        and (parameters := _parameters(node)) is not None
    ]


def _parameters(node: ast.FunctionDef) -> list[Parameter] | None:
    """The arguments of an overload; ``None`` if it is none for these tests."""
    given = node.args
    placed = [*given.posonlyargs, *given.args]
    found = []
    defaults = [*[None] * (len(placed) - len(given.defaults)), *given.defaults]
    for named, arguments, values in [
        (False, placed, defaults),
        (True, given.kwonlyargs, given.kw_defaults),
    ]:
        for argument, value in zip(arguments, values, strict=True):
            kind = "Tensor" if argument.annotation is None else ast.unparse(argument.annotation)
            found.append(Parameter(argument.arg, kind, value is not None, named))
    names = {p.name for p in found if not p.by_name_only}
    if "self" in [p.name for p in found[1:]]:  # a name for which there is another one
        return None
    is_old = bool(DEPRECATED & names) and not {"input", "fill_value", "mask", "index"} & names
    if given.vararg is not None or is_old or (DEPRECATED & names and "tensor2" in names):
        return None
    return found


# -- drawing a call ------------------------------------------------------------------------------

SHAPES = [(), (1,), (3,), (4,), (2, 3), (3, 3), (2, 1), (3, 1, 2), (2, 3, 3), (0,), (0, 3), (2, 0)]
FLOATS = ["float32"] * 8 + ["float64", "float16"]
DTYPES = [*FLOATS, "int64", "int64", "int32", "uint8", "int8", "bool"]
WRONG: list[Any] = ["a", None, 1.5, True, [1], (0,), 2, -1, [1.5], {}]
WORDS = {
    "rounding_mode": ["trunc", "floor", "up"],
    "reduce": ["sum", "prod", "mean", "amax", "amin", "add"],
    "indexing": ["ij", "xy"],
}


class Place(int):
    """Stands in a drawn call for the tensor with this number."""


class DType(str):
    """Stands in a drawn call for a type of elements."""


class Draw:
    """Draws the arguments of one call."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.shape, self.dtype = self.random.choice(SHAPES), self.random.choice(DTYPES)
        self.arrays: list[np.ndarray] = []
        self.is_wrong = False

    def call(self, overload: Overload) -> tuple[list[Any], dict[str, Any]]:
        """What to call a function with, by position and by name."""
        arguments: list[Any] = []
        options: dict[str, Any] = {}
        for p in overload.parameters:
            by_name = p.by_name_only or bool(options)
            if p.may_miss and (p.name in ELSEWHERE or self.random.random() < 0.5):
                options |= {} if by_name else {"": None}  # from here on by name
                continue
            value = self.value(p)
            if p.name != "self" and self.random.random() < 0.04:
                value, self.is_wrong = self.random.choice(WRONG), True
            if by_name or (p.name != "self" and self.random.random() < 0.25):
                options[p.name] = value
            else:
                arguments.append(value)
        options.pop("", None)
        return arguments, options

    def value(self, p: Parameter) -> Any:
        """An argument that fits its type, and as a rule the others."""
        pick = self.random.choice
        if "tuple[Tensor" in p.type:
            return [self.tensor(p.name) for _ in range(self.random.randint(0, 3))]
        if "None" in p.type and self.random.random() < 0.25:
            return None
        kinds = [kind.strip() for kind in p.type.split("|")]
        kinds = [k for k in kinds if k != "None" and "Sym" not in k and "complex" not in k]
        kind = pick(kinds or ["None"])
        if kind == "Tensor":
            return self.tensor(p.name)
        if "Sequence" in p.type or kind == "_size" or kind.startswith("tuple"):
            return self.sizes(p.name)
        drawn = {
            "_int": [0, 1, 1, 2, 2, 3, -1, -2, -3],
            "_float": [0.5, 1.0, 0.0, 2.5, -1.5, 1, 2],
            "Number": [0, 1, 2, -1, 0.5, -1.5, 2.0, 3],
            "_bool": [False, True],
            "_dtype": [DType(d) for d in DTYPES],
            "str": WORDS.get(p.name, ["a"]),
        }
        return pick(drawn.get(kind, [None]))

    def sizes(self, name: str) -> Any:
        """Axes, or sizes."""
        pick, shape = self.random.choice, self.shape
        if name in ("dim", "dims", "source", "destination"):
            return tuple(self.random.randint(-3, 2) for _ in range(pick([0, 1, 1, 2, 2, 3])))
        if name in ("size", "shape", "sizes") and self.random.random() < 0.5:
            return pick([shape, shape[::-1], (-1,), (1, *shape), (*shape, 1), (2, *shape)])
        return tuple(pick([-1, 0, 1, 1, 2, 2, 3]) for _ in range(self.random.randint(0, 3)))

    def tensor(self, name: str) -> Place:
        """A tensor of the call's type and shape, of a shape that meets it, or of another."""
        dtype = self.dtype if self.random.random() < 0.7 else self.random.choice(DTYPES)
        fits = [self.shape] * 6 + [self.shape[1:], tuple(1 for _ in self.shape), ()]
        shape = self.random.choice([*fits, self.random.choice(SHAPES)])
        low = -2
        if name in ("index", "indices"):
            dtype, low = self.random.choice(["int64"] * 5 + ["int32", "float32"]), 0
        elif name in ("mask", "condition"):
            dtype = self.random.choice(["bool"] * 9 + ["float32"])
        kind = np.dtype(dtype).kind
        if kind == "f":
            array = self.numbers.uniform(-2, 2, shape)
        else:
            array = self.numbers.integers(
                0 if kind in "ub" else low, 2 if kind == "b" else 3, shape
            )
        self.arrays.append(np.asarray(array).astype(dtype))
        return Place(len(self.arrays) - 1)


def made(lib: Any, value: Any, given: list[Any]) -> Any:
    """An argument as a library takes it."""
    if isinstance(value, Place):
        return given[value]
    if isinstance(value, DType):
        return getattr(lib, value)
    if isinstance(value, tuple | list):
        return type(value)(made(lib, v, given) for v in value)
    return value


# -- comparing -----------------------------------------------------------------------------------


def difference(torch: Any, overload: Overload, seed: int) -> str:
    """What the two libraries disagree about in one call; empty if nothing."""
    draw = Draw(seed)
    arguments, options = draw.call(overload)
    answers = []
    for lib in (tg, torch):
        xs = [
            leaf(lib, a) if a.dtype.kind == "f" else lib.from_numpy(a.copy()) for a in draw.arrays
        ]
        a = [made(lib, value, xs) for value in arguments]
        k = {name: made(lib, value, xs) for name, value in options.items()}
        fn = _function(lib, overload, a)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = outcome(lambda fn=fn, a=a, k=k: fn(*a, **k))
            answers.append(
                (answer, outcome(lambda lib=lib, y=answer, xs=xs: gradients(lib, y, xs)))
            )
    (ours, our_grads), (theirs, their_grads) = answers
    said = f"{overload}({arguments}, {options}) of {[(a.dtype.name, a.shape) for a in draw.arrays]}"
    if isinstance(theirs, Exception):
        known = isinstance(ours, Exception) or _is_meant(theirs, draw)
        return "" if known else f"{said}: {ours!r}, but PyTorch refuses it: {theirs!r:.200}"
    if isinstance(ours, Exception):
        return f"{said}: refused, but PyTorch computes it: {ours!r:.200}"
    half = any(a.dtype == np.float16 for a in draw.arrays) or "float16" in options.values()
    try:
        for mine, reference in zip(tensors(ours), tensors(theirs), strict=True):
            assert_same(mine, reference, said, 2e-2 if half else 2e-4)
            assert mine.requires_grad == reference.requires_grad, f"{said}: requires_grad"
        if not isinstance(their_grads, Exception):
            for mine, reference in zip(our_grads, their_grads, strict=True):
                assert_same(mine, reference, f"{said}: gradient", 2e-2 if half else 2e-4)
    except (AssertionError, ValueError) as error:
        return f"{said}: {error}"
    return ""


def _function(lib: Any, overload: Overload, arguments: list[Any]) -> Callable[..., Any]:
    if overload.place == "torch":
        return getattr(lib, overload.name)
    x = arguments.pop(0)
    if overload.name.endswith("_"):  # no leaf can be changed
        x = x.clone()
    return getattr(x, overload.name)


def _is_meant(theirs: Exception, draw: Draw) -> bool:
    """Whether something may be computed that PyTorch refuses."""
    return (
        isinstance(theirs, NotImplementedError)  # it may come to that
        or (isinstance(theirs, TypeError) and draw.is_wrong)  # numbers for tensors, or for tuples
        or "Autograd not support dtype" in str(theirs)  # integers of floats have no gradient here
    )


@pytest.mark.parametrize("part", range(4))
def test_calls_by_the_signatures_of_pytorch(torch, part):
    known = overloads(torch)
    random = Random(part)
    found = [
        difference(torch, random.choice(known), seed)
        for seed in range(part * CALLS // 4, (part + 1) * CALLS // 4)
    ]
    failures = [text for text in found if text]
    assert not failures, f"{len(failures)} of {len(found)}:\n\n" + "\n\n".join(failures)


def test_signatures_are_found(torch):
    found = {str(overload) for overload in overloads(torch)}
    assert len(found) > 350
    assert {"torch.add", "Tensor.scatter_reduce_", "torch.lerp"} <= found
