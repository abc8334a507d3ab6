"""The literal graph of one step of a recurrence, written out as a NumPy program.

A forward and its rules are ordinary NumPy arithmetic.  Fed arrays they compute numbers, fed tensors
they record a graph, and fed `symbols` they write themselves down.  So one step of a recurrence and
its backward, by the engine's own walk, become two short lists of NumPy's functions (`trace`); these
are made quicker without changing what they compute (`passes`), divided into what goes once, before,
in and after the loop over time, and written as the source of a program (`source`).  For a reader
they are made plain (`readable`) and written line by line (`text`, `expressions`).
"""
