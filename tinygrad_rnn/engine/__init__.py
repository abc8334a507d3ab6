"""The engine: a graph of applied primitives and the one loop that walks it backward.

It knows NumPy arrays, but neither the operations nor the Tensor class.  Read `graph`, then
`primitive`, then `traversal`: what a forward leaves behind, what an operation states about its
derivative, and how a walk turns the two into gradients.
"""
