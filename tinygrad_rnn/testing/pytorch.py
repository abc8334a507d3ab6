"""PyTorch, which is imported only by what compares with it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def installed_torch() -> Any:
    """PyTorch, or ``None`` where it is not installed."""
    try:
        return import_module("torch")
    except ImportError:
        return None


def required_torch(caller: str) -> Any:
    """PyTorch, or an `ImportError` that says who needs it."""
    torch = installed_torch()
    if torch is None:
        raise ImportError(f"{caller} needs PyTorch: pip install torch")
    return torch
