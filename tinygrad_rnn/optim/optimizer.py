"""Optimizer: parameter groups, state, and the walk over all parameters that have a gradient."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, TypeVar, overload

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.engine.errors import silently
from tinygrad_rnn.engine.memory import mark_changed
from tinygrad_rnn.operations.arguments import raw
from tinygrad_rnn.operations.dtypes import get_default_dtype, is_floating
from tinygrad_rnn.tensor import RemovableHandle, Tensor
from tinygrad_rnn.tensor.creation import from_numpy

Array = np.ndarray[Any, Any]
State = dict[str, Any]
Loss = TypeVar("Loss")


class Options(SimpleNamespace):
    """The options of a group as attributes, plain numbers all; what an optimizer lacks is off."""

    maximize = False
    weight_decay: float = 0
    decoupled_weight_decay = False


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A ``step`` that runs the hooks around it and leaves a note for schedulers."""

    @functools.wraps(step)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        for hook in list(self._before_step.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        result = step(*args, **kwargs)
        self._stepped = True
        for hook in list(self._after_step.values()):
            hook(self, args, kwargs)
        return result

    return wrapped


class Optimizer:
    """Base class of optimizers.

    A subclass defines `update`, its formula for one parameter, or a whole ``step`` of its own.

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
        What to optimize. A dict is a group: its ``"params"``, and options that differ for them.
    defaults : dict
        Options of the groups that do not set them.

    Raises
    ------
    TypeError
        If ``params`` is one tensor, or not all of it are tensors.
    ValueError
        If there are none; if one is not a leaf or is in two groups.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> class Descent(tg.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     def update(self, w, g, state, options):
    ...         w -= options.lr * g
    >>> w = tg.tensor([2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Descent([w], lr=0.25).step()
    >>> w
    tensor([1.], requires_grad=True)
    """

    _stepped = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params must be an iterable of tensors or dicts, not one "
                f"{type(params).__name__}"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, State] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._before_step: dict[int, Any] = {}
        self._after_step: dict[int, Any] = {}
        groups = list(params)
        if not groups:
            raise ValueError(f"{self._name}: got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # -- parameter groups --

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as a layer that is trained from now on.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> v, w = tg.zeros(1, requires_grad=True), tg.zeros(1, requires_grad=True)
        >>> optimizer = tg.optim.SGD([v], lr=0.1)
        >>> optimizer.add_param_group({"params": w, "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(
                f"{self._name}: a parameter group must be a dict, not {type(param_group).__name__}"
            )
        if "params" not in param_group:
            raise KeyError(f"{self._name}: a parameter group needs 'params'")
        group = {**param_group, **self._listed(param_group["params"])}
        group |= {name: value for name, value in self.defaults.items() if name not in group}
        for unsupported in ("differentiable", "capturable"):
            if group.get(unsupported):
                raise RuntimeError(
                    f"{self._name}: {unsupported}=True is not supported: steps are taken in NumPy, "
                    "outside the graph"
                )
        if group.get("fused") and group.get("foreach"):
            raise RuntimeError(f"{self._name}: fused and foreach cannot both be True")
        if self.param_groups and ("param_names" in group) != (
            "param_names" in self.param_groups[0]
        ):
            raise ValueError(f"{self._name}: either all parameters have names or none has")
        known = {id(p) for other in self.param_groups for p in other["params"]}
        own = {id(p) for p in group["params"]}
        if known & own:
            raise ValueError(f"{self._name}: some parameters appear in more than one group")
        if len(own) < len(group["params"]):
            warnings.warn(
                f"{self._name}: a parameter group contains a parameter twice, so each step moves "
                "it twice",
                stacklevel=3,
            )
        self.param_groups.append(group)

    def _listed(self, params: Any) -> dict[str, list[Any]]:
        """The parameters of a group as a list, and their names if they have any."""
        if isinstance(params, Tensor):
            params = [params]
        if isinstance(params, set):
            raise TypeError(f"{self._name}: a set has no order; give the parameters as a list")
        params = list(params)
        named = [isinstance(p, tuple) for p in params]
        if any(named) and not all(named):
            raise ValueError(f"{self._name}: either all parameters have names or none has")
        names = [p[0] for p in params] if any(named) else []
        params = [p[1] for p in params] if any(named) else params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"{self._name}: can only optimize tensors, not {type(p).__name__}")
            if not p.is_leaf:
                raise ValueError(
                    f"{self._name}: can't optimize a non-leaf tensor, the result of an operation; "
                    "give it what that was computed from"
                )
        return {"params": params} | ({"param_names": names} if names else {})

    def _check(self, **options: Any) -> None:
        """Raise unless all are numbers, or tensors with one element, that are not negative."""
        for name, value in options.items():
            if isinstance(value, Tensor) and value.numel() != 1:
                raise ValueError(f"{self._name}: {name} must have one element, not {value.numel()}")
            if not isinstance(value, int | float | np.number | Tensor):
                raise TypeError(f"{self._name}: {name} must be a number, got {value!r:.60}")
            if not value >= 0:
                raise ValueError(f"{self._name}: {name} must be at least 0, got {value!r:.60}")

    def _check_betas(self, betas: Any) -> None:
        for i in range(2):
            self._check(**{f"betas[{i}]": betas[i]})
            if not betas[i] < 1:
                raise ValueError(f"{self._name}: betas[{i}] must be less than 1, got {betas[i]}")

    # -- steps --

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """Move one parameter in place, given its gradient; subclasses define it.

        Parameters
        ----------
        w : array
            The parameter.
        g : array
            Its gradient (negated to maximize, with weight decay added): not to be changed.
        state : dict
            What is remembered for this parameter from step to step.
        options
            The group's options as attributes.
        """
        raise NotImplementedError(f"{self._name} defines neither update() nor step()")

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure : function, optional
            Called first, to compute the loss and its gradients anew.

        Returns
        -------
        What ``closure`` returned, or ``None``.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            options = plain(group)
            for p in group["params"]:
                if (grad := p.grad) is not None:
                    silently(self._move, p.array, grad.array, self.state[p], options)
                    mark_changed(p.array)
        return loss

    def _move(self, w: Array, g: Array, state: State, options: Options) -> None:
        if options.maximize:
            g = -g
        if options.decoupled_weight_decay:
            w *= 1 - options.lr * options.weight_decay
        elif options.weight_decay:
            g = g + options.weight_decay * w
        self.update(w, g, state, options)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step.

        ``args`` begin with the optimizer. The hook may return others, and other ``kwargs``.
        """
        return RemovableHandle(self._before_step, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle(self._after_step, hook)

    # -- state --

    def state_dict(self) -> dict[str, Any]:
        """Groups and state, with parameters as numbers, in PyTorch's layout.

        The tensors in it share memory with the optimizer.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], momentum=0.9)
        >>> (3 * w).backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': tensor([3.])}}
        """
        index: dict[Any, int] = {}
        groups = []
        for group in self.param_groups:
            indices = [index.setdefault(p, len(index)) for p in group["params"]]
            groups.append({k: v for k, v in group.items() if k != "params"} | {"params": indices})
        state = {index.get(p, p): kept for p, kept in self.state.items() if kept}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where another optimizer was; PyTorch's state will do.

        The state is copied and takes the types of the parameters.

        Raises
        ------
        ValueError
            If the groups do not match. Nothing has been changed then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{self._name}: expected a state_dict, got {type(state_dict).__name__}")
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"{self._name}: the state has {len(saved)} parameter groups, the optimizer "
                f"{len(self.param_groups)}"
            )
        params: dict[Any, Any] = {}
        groups = []
        for i, (theirs, ours) in enumerate(zip(saved, self.param_groups, strict=True)):
            if len(theirs["params"]) != len(ours["params"]):
                raise ValueError(
                    f"{self._name}: group {i} has {len(theirs['params'])} parameters in the state, "
                    f"{len(ours['params'])} in the optimizer"
                )
            params |= zip(theirs["params"], ours["params"], strict=True)
            options = {k: deepcopy(v) for k, v in theirs.items() if k != "params"}
            groups.append(self.defaults | options | {"params": ours["params"]})
        state: defaultdict[Any, State] = defaultdict(dict)
        for key, kept in state_dict["state"].items():
            p = params.get(key, key)
            state[p] = _restored(kept, "", p.dtype if isinstance(p, Tensor) else None)
        self.param_groups, self.state = groups, state

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines += [""] * (i > 0) + [f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def plain(group: dict[str, Any]) -> Options:
    """The options of a group, those given as tensors or NumPy scalars as Python numbers."""
    return Options(**{key: number(value) for key, value in group.items() if key != "params"})


def number(value: Any) -> Any:
    """A tensor with one element, or a NumPy scalar, as a Python number; the rest as it is."""
    if isinstance(value, tuple):
        return tuple(number(one) for one in value)
    return value.item() if isinstance(value, Tensor | np.generic | np.ndarray) else value


def _restored(value: Any, key: Any, dtype: Any) -> Any:
    """A copy of saved state, with tensors of ``dtype`` (but for the count of steps)."""
    if isinstance(value, dict):
        return {name: _restored(kept, name, dtype) for name, kept in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_restored(kept, key, dtype) for kept in value)
    if isinstance(value, int | float) and key == "step":
        return scalar(value)
    if hasattr(value, "__array__") and not isinstance(value, np.generic):
        array = np.asarray(raw(value)).copy()
        cast = key != "step" and dtype is not None and is_floating(dtype)
        return from_numpy(array.astype(dtype, copy=False) if cast else array)
    return deepcopy(value)


# -- what the formulas are made of --


def scalar(value: float) -> Tensor:
    """A number as state: float32, which a count of steps fits in, unless float64 is the default."""
    dtype = np.float64 if get_default_dtype() == np.float64 else np.float32
    return from_numpy(np.array(value, dtype))


def count(state: State) -> Any:
    """The number of this step, from 1, which the state remembers."""
    if "step" not in state:
        state["step"] = scalar(0)
    state["step"].array += 1
    return int(state["step"].array)


def kept(state: State, name: str, w: Array, fill: float = 0) -> Array:
    """The array of this name in the state of parameter ``w``; to begin with, full of ``fill``."""
    if name not in state:
        state[name] = from_numpy(np.full_like(w, fill))
    array: Array = state[name].array
    if array.shape != w.shape:
        raise RuntimeError(
            f"step: the state {name!r}, of shape {array.shape}, is not that of a parameter of "
            f"shape {w.shape}"
        )
    return array


def average(m: Array, x: Array, weight: float) -> None:
    """Set m to (1 − weight) m + weight x, from the nearer end: ``weight=1`` gives x itself."""
    if weight < 0.5:
        m += weight * (x - m)
    else:
        m[...] = x - (x - m) * (1 - weight)


def average_square(v: Array, x: Array, beta: float) -> None:
    """Set v to β v + (1 − β) x²."""
    v *= beta
    v += (1 - beta) * x * x
