"""Modules of `torch` that programs import though they can do without them, or use little of."""
