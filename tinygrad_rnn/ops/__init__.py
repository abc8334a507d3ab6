"""The tables: every differentiable operation once, its forward and its VJP rules together.

Rules are NumPy arithmetic on ``g`` (the cotangent of the output) and what their arguments
name; see `tinygrad_rnn.engine.primitive`.  The functions that users call, with PyTorch's names
and arguments, are in `tinygrad_rnn.functions`.
"""
