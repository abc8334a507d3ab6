"""The engine: a graph of applied primitives, and the one loop that walks it backward."""
