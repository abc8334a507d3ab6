"""Optimizers, and schedulers of their learning rates."""

from tinygrad_rnn.optim import lr_scheduler, swa_utils
from tinygrad_rnn.optim.adagrad import Adadelta, Adagrad, RMSprop
from tinygrad_rnn.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from tinygrad_rnn.optim.lbfgs import LBFGS
from tinygrad_rnn.optim.optimizer import Optimizer
from tinygrad_rnn.optim.rprop import Rprop
from tinygrad_rnn.optim.sgd import ASGD, SGD


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
