"""`torch.backends`: libraries that PyTorch may compute with; their settings do nothing here."""

from __future__ import annotations

from types import ModuleType


def _library(name: str, **settings: bool) -> ModuleType:
    """A library that is not there, with settings that can be made."""
    module = ModuleType(f"{__name__}.{name}", f"`torch.backends.{name}`: not there.")
    module.__dict__.update(is_available=_no, is_built=_no, **settings)
    return module


def _no() -> bool:
    return False


cudnn = _library("cudnn", enabled=False, benchmark=False, deterministic=True, allow_tf32=False)
cuda = _library("cuda")
cuda.__dict__["matmul"] = _library("cuda.matmul", allow_tf32=False)
mps = _library("mps")
mkl = _library("mkl")
mkldnn = _library("mkldnn", enabled=False)
openmp = _library("openmp")

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
