"""Families whose primitives do not stand beside their functions yet."""
