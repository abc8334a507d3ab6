"""What a program itself said of a place: its name, its role, or that it is just a number."""

from __future__ import annotations

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing.text import clean


def name_of(place: Node) -> str:
    """The name that the program gave to a place, to the letter; "" if it gave none."""
    return place.notes.name or "" if place.notes is not None else ""


def given_name(place: Node) -> str:
    """The name that the program gave to a place, made safe to write; "" if it gave none."""
    name = name_of(place)
    return clean(name) if name else ""


def role_of(place: Node) -> str | None:
    """The role that the program gave to a place: "parameter", "input" or "state"."""
    return place.notes.role if place.notes is not None else None


def was_detached(place: Node) -> bool:
    """Whether the program cut a tensor off from its graph to get this leaf."""
    return place.is_leaf and place.notes is not None and place.notes.detached


def may_be_parameter(leaf: Node) -> bool:
    """Whether what is said of a leaf lets it be a parameter; how it is used may still forbid it.

    It has that role, as those of modules have, frozen or not; or none, and requires grad.
    """
    role = role_of(leaf)
    return role == "parameter" or (role is None and leaf.requires_grad)


def is_inline(place: Node) -> bool:
    """Whether a place is a number written into the program, and so needs no box."""
    if not place.is_leaf or place.requires_grad or place.value is None:
        return False
    return place.shape == () and not given_name(place)
