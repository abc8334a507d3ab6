"""Hooks of modules: what is called beside ``forward``, and beside the walk back over it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tinygrad_rnn.autograd import Function
from tinygrad_rnn.tensor import RemovableHandle, Tensor


@dataclass(frozen=True)
class Hook:
    """A hook as registered: with its options."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False

    def __call__(self, module: Any, inputs: Any, options: Any, *result: Any) -> Any:
        """Call it, with the keyword arguments of ``forward`` if it asked for them."""
        if self.with_kwargs:
            return self.call(module, inputs, options, *result)
        return self.call(module, inputs, *result)

    def before(self, module: Any, inputs: Any, options: Any) -> tuple[Any, Any]:
        """The arguments of ``forward`` after this hook."""
        answer = self(module, inputs, options)
        if answer is None:
            return inputs, options
        if not self.with_kwargs:
            return answer if isinstance(answer, tuple) else (answer,), options
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise RuntimeError(
                f"a forward pre-hook with kwargs must return None or (args, kwargs), not {answer!r}"
            )
        return answer


def register(
    owner: str, hooks: dict[int, Any], hook: Callable[..., Any], prepend: bool, *options: bool
) -> RemovableHandle:
    """Add a hook after, or before, those there are."""
    if not callable(hook):
        raise TypeError(f"{owner}: expected a function, got {type(hook).__name__}")
    others = dict(hooks) if prepend else {}
    for key in others:
        del hooks[key]
    handle = RemovableHandle(hooks, Hook(hook, *options))
    hooks.update(others)
    return handle


class Passage:
    """One call of a module whose backward hooks are to see the cotangents of its ends.

    Inputs and outputs pass through identities, whose derivatives call the hooks.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.before = [hook.call for hook in module._backward_pre_hooks.values()]
        self.after = [hook.call for hook in module._backward_hooks.values()]
        self.inputs_seen = False

    def enter(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs behind an identity that calls the hooks when their cotangents are known."""
        self.count = len(inputs)
        passed: tuple[Any, ...] = _watched(inputs, self._left, True)
        self.inputs_seen = any(x is not y for x, y in zip(passed, inputs))
        return passed

    def leave(self, result: Any) -> Any:
        """The outputs behind an identity that notes their cotangents."""
        single = not isinstance(result, tuple)
        if single and not isinstance(result, Tensor):
            warnings.warn(
                "backward hooks are called for a module that returns a Tensor or a tuple of "
                f"Tensors, but {type(self.module).__name__} returned {type(result).__name__}",
                stacklevel=5,
            )
            return result
        passed = _watched((result,) if single else result, self._entered, False)
        return passed[0] if single else passed

    def _entered(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The walk has come to the outputs."""
        for hook in self.before:
            grads = self._answered(hook(self.module, grads), grads)
        self.grad_output = grads
        if not self.inputs_seen:  # nothing more will come
            self._left((None,) * self.count)
        return grads

    def _left(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The walk has come to the inputs."""
        for hook in self.after:
            answer = hook(self.module, grads, self.grad_output)
            if self.inputs_seen:
                grads = self._answered(answer, grads)
            elif answer is not None and any(g is not None for g in answer):
                raise RuntimeError(
                    f"backward hook of {type(self.module).__name__}: no input requires grad, so it "
                    "must return None, or None for every input"
                )
        del self.grad_output
        return grads

    def _answered(self, answer: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The cotangents after a hook, which may have replaced them."""
        if answer is None:
            return grads
        answered: tuple[Any, ...] = answer if isinstance(answer, tuple) else (answer,)
        if len(answered) != len(grads):
            raise RuntimeError(
                f"backward hook of {type(self.module).__name__}: it must return one gradient for "
                f"each of the {len(grads)} it was given, not {len(answered)}"
            )
        return answered


def _watched(
    values: Sequence[Any], call: Callable[[tuple[Any, ...]], Any], zeros: bool
) -> tuple[Any, ...]:
    """The values, tensors among them behind an identity whose derivative goes through ``call``.

    ``zeros``: what a tensor gets to which no cotangent has come (else ``None``).
    """
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor)]
    passed = list(values)
    if any(values[i].requires_grad for i in places):

        def backward(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            whole: list[Any] = [None] * len(values)
            for i, g in zip(places, grads):
                whole[i] = g
            answer = call(tuple(whole))
            return tuple(answer[i] for i in places)

        tensors = [values[i] for i in places]
        for i, x in zip(places, BackwardHookFunction.apply((backward, zeros), *tensors)):
            passed[i] = x
    return tuple(passed)


class BackwardHookFunction(Function):
    """The identity; its derivative is what a function makes of the cotangents."""

    @staticmethod
    def forward(ctx: Any, derivative: tuple[Callable[..., Any], bool], *tensors: Any) -> Any:
        """The tensors."""
        ctx.call, zeros = derivative
        ctx.set_materialize_grads(zeros)
        ctx.mark_non_differentiable(*[x for x in tensors if not x.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """What the function makes of the cotangents."""
        return (None, *ctx.call(grads))
