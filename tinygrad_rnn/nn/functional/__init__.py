"""What neural nets compute, as functions, with PyTorch's names, arguments and defaults.

>>> import tinygrad_rnn as tg
>>> import tinygrad_rnn.nn.functional as F
>>> F.cross_entropy(tg.tensor([[2.0, 0.0]]), tg.tensor([0]))
tensor(0.1269)
"""

from tinygrad_rnn.nn.functional.attention import scaled_dot_product_attention
from tinygrad_rnn.nn.functional.bags import (
    embedding_bag,
)
from tinygrad_rnn.nn.functional.ctc import ctc_loss
from tinygrad_rnn.nn.functional.dropping import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
)
from tinygrad_rnn.nn.functional.gumbel import (
    gumbel_softmax,
)
from tinygrad_rnn.nn.functional.layers import bilinear, one_hot
from tinygrad_rnn.nn.functional.multihead import (
    multi_head_attention_forward,
)
from tinygrad_rnn.nn.functional.variants import glu, log_softmax, relu, softmax, softmin
from tinygrad_rnn.operations import linear, prelu, sigmoid, tanh
from tinygrad_rnn.operations.activation import (
    celu,
    elu,
    gelu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
)
from tinygrad_rnn.operations.convolution import (
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
)
from tinygrad_rnn.operations.layers import embedding
from tinygrad_rnn.operations.likelihoods import (
    gaussian_nll_loss,
    poisson_nll_loss,
)
from tinygrad_rnn.operations.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from tinygrad_rnn.operations.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from tinygrad_rnn.operations.normalizing import (
    batch_norm,
    cosine_similarity,
    group_norm,
    instance_norm,
    layer_norm,
    normalize,
    rms_norm,
)
from tinygrad_rnn.operations.norms import (
    pairwise_distance,
)
from tinygrad_rnn.operations.padding import pad
from tinygrad_rnn.operations.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from tinygrad_rnn.operations.shrinking import (
    hardshrink,
    softshrink,
    tanhshrink,
    threshold,
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]
