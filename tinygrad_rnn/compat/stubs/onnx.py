"""`torch.onnx`: files for other programs to compute with, which are not written here."""

from __future__ import annotations

from typing import Any


def export(*arguments: Any, **options: Any) -> None:
    """Refused.

    Raises
    ------
    NotImplementedError
        Always.
    """
    raise NotImplementedError(
        "tinygrad_rnn writes no ONNX files: testing.to_torch(module) gives PyTorch's module, which "
        "torch.onnx exports; save(module.state_dict(), file) keeps the weights"
    )


def is_in_onnx_export() -> bool:
    """Whether a module is being exported: never."""
    return False


__all__ = ["export", "is_in_onnx_export"]
