"""Transformers beside PyTorch's: weights for a seed, outputs, gradients of two orders, repr."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from cases import leaf
from test_torch_modules import Made, assert_alike, assert_same_signature, floats

import tinygrad_rnn as tg

SRC, TGT = floats(4, 2, 6), floats(3, 2, 6)
PADDED = np.array([[False, False, False, True], [False] * 4])
LATER = np.triu(np.ones((4, 4), bool), 1)
OPTIONS: list[dict[str, Any]] = [
    {}, {"norm_first": True}, {"batch_first": True}, {"activation": "gelu"}, {"bias": False},
    {"dropout": 0.5}, {"layer_norm_eps": 0.1}, {"activation": "tanh"},
]  # fmt: skip


def sized(options: dict[str, Any]) -> dict[str, Any]:
    return {"d_model": 6, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0} | options


@pytest.fixture(autouse=True)
def _with_second_derivatives(torch):
    math = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    with math, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_layers(torch, options):
    def encoder(lib: Any) -> Any:
        return lib.nn.TransformerEncoderLayer(**sized(options))

    def decoder(lib: Any) -> Any:
        return lib.nn.TransformerDecoderLayer(**sized(options))

    assert_alike(torch, Made(encoder, (SRC,)), f"encoder {options}")
    assert_alike(torch, Made(encoder, (SRC[:, 0],)), f"encoder {options}, no batch")
    memory = np.ascontiguousarray(SRC[:3]) if options.get("batch_first") else SRC
    assert_alike(torch, Made(decoder, (TGT, memory)), f"decoder {options}")


def masked(module: Any, x: Any, padded: Any, later: Any) -> list[Any]:
    return [
        module(x, later), module(x, None, padded), module(x, later, padded),
        module(x, later, is_causal=True),
    ]  # fmt: skip


def test_masks_of_encoders(torch):
    def layer(lib: Any) -> Any:
        return lib.nn.TransformerEncoderLayer(**sized({}))

    def stack(lib: Any) -> Any:
        made = lib.nn.TransformerEncoderLayer(**sized({}))
        return lib.nn.TransformerEncoder(made, 2, lib.nn.LayerNorm(6))

    for build in (layer, stack):
        assert_alike(torch, Made(build, (SRC, PADDED, LATER), masked), build.__name__)
    hint = Made(stack, (SRC,), lambda m, x: m(x, is_causal=True))
    assert_alike(torch, hint, "a hint without a mask")


def test_masks_of_decoders(torch):
    def stack(lib: Any) -> Any:
        made = lib.nn.TransformerDecoderLayer(**sized({"norm_first": True}))
        return lib.nn.TransformerDecoder(made, 2)

    def looked(module: Any, x: Any, memory: Any, padded: Any, later: Any) -> list[Any]:
        return [
            module(x, memory, later[:3, :3]),
            module(x, memory, memory_key_padding_mask=padded, tgt_key_padding_mask=padded[:, 1:]),
            module(x, memory, memory_mask=later[:3]),
        ]

    assert_alike(torch, Made(stack, (TGT, SRC, PADDED, LATER), looked), "decoder")


@pytest.mark.parametrize(
    "options",
    [{}, {"norm_first": True, "bias": False}, {"activation": "gelu"}, {"batch_first": True}],
    ids=str,
)
def test_transformer(torch, options):
    def build(lib: Any) -> Any:
        layers = {"num_encoder_layers": 1, "num_decoder_layers": 2}
        return lib.nn.Transformer(**sized(layers | options))

    def call(module: Any, src: Any, tgt: Any) -> Any:
        kind = tg if isinstance(module, tg.nn.Module) else torch
        later = kind.nn.Transformer.generate_square_subsequent_mask(3, dtype=kind.float64)
        length = tgt.shape[1 if options.get("batch_first") else 0]
        return module(src, tgt, tgt_mask=later[:length, :length])

    arrays = (SRC[:3], TGT) if options.get("batch_first") else (SRC, TGT)
    assert_alike(torch, Made(build, arrays, call), str(options))
    for wrong in ((SRC, TGT[:, :1]), (SRC[..., :5], TGT), (SRC[:, 0], TGT)):
        assert_alike(torch, Made(build, wrong), f"{options}, {[a.shape for a in wrong]}")


def test_signatures(torch):
    for name in ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer"):
        ours, theirs = (getattr(lib.nn, name) for lib in (tg, torch))
        assert_same_signature(ours.forward, theirs.forward, name)
        mine, reference = (repr(kind(4, 2, dim_feedforward=3)) for kind in (ours, theirs))
        assert mine == reference
    for name in ("TransformerEncoder", "TransformerDecoder"):
        ours, theirs = (getattr(lib.nn, name) for lib in (tg, torch))
        assert_same_signature(ours, theirs, name)
        assert_same_signature(ours.forward, theirs.forward, name)


def test_it_learns_as_pytorchs_does(torch):
    """Some steps of training from a seed, with dropout, in float32."""

    def losses(lib: Any) -> list[float]:
        lib.manual_seed(1)
        layer = lib.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        net = lib.nn.TransformerEncoder(layer, 2)
        optimizer = lib.optim.Adam(net.parameters(), lr=1e-2)
        x = leaf(lib, np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")).detach()
        found = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = lib.nn.functional.mse_loss(net(x), x.flip((1,)))
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    np.testing.assert_allclose(losses(tg), losses(torch), rtol=1e-3)
