"""NumPy's functions on tensors: ``np.tanh(x)`` is ``tg.tanh(x)``, recorded and differentiable.

Derivative rules are NumPy arithmetic, so what they use is here; and what is here works for users.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn import functions

NUMPY: dict[Any, Any] = {
    # -- elementwise --
    np.add: functions.add,
    np.subtract: functions.sub,
    np.multiply: functions.mul,
    np.true_divide: functions.div,
    np.power: functions.pow,
    np.negative: functions.neg,
    np.exp: functions.exp,
    np.log: functions.log,
    np.tanh: functions.tanh,
    np.where: functions.where,
    # -- comparison --
    np.equal: functions.eq,
    np.not_equal: functions.ne,
    np.less: functions.lt,
    np.less_equal: functions.le,
    np.greater: functions.gt,
    np.greater_equal: functions.ge,
    # -- linear algebra --
    np.matmul: functions.matmul,
    # -- reduction --
    np.sum: functions.sum,
    np.mean: functions.mean,
    # -- ordering --
    # -- shape --
    np.reshape: functions.reshape,
    np.swapaxes: functions.transpose,
    np.broadcast_to: functions.expand,
    np.moveaxis: lambda a, source, destination: _moveaxis(a, source, destination),
    # -- joining and splitting --
    np.concatenate: lambda arrays, axis=0: functions.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: functions.stack(arrays, axis),
    # -- indexing --
}


def _moveaxis(a: Any, source: int, destination: int) -> Any:
    axes = [i for i in range(a.ndim) if i != source % a.ndim]
    axes.insert(destination % a.ndim, source % a.ndim)
    return functions.permute(a, axes)
