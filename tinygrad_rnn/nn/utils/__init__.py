"""Utilities for nets: gradients clipped, parameters as one vector, sequences packed (`rnn`)."""

from tinygrad_rnn.nn.utils import parametrizations, parametrize, rnn, stateless
from tinygrad_rnn.nn.utils.clip import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tinygrad_rnn.nn.utils.convert import parameters_to_vector, vector_to_parameters
from tinygrad_rnn.nn.utils.weight_norm import (
    remove_weight_norm,
    weight_norm,
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_weight_norm",
    "rnn",
    "stateless",
    "vector_to_parameters",
    "weight_norm",
]
