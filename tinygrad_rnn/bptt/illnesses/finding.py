"""One thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """Something in a walk that hinders learning, or would surprise.

    Attributes
    ----------
    severity : "error", "warning" or "note"
        Nothing is learned; less is learned than could be; this may well be intended.
    kind : str
        "dead ReLU", "saturated gate", "vanishing gradient", "exploding gradient", "not finite",
        "detached state", "state reset", "blocked state", "mixed-up axes", "probabilities as
        logits", "no log-probabilities", "softmax over samples", "identical units", "leftover
        gradient", "unused parameter" or "zero gradient".
    where : str
        Layer and time steps, or parameters.
    what : str
        What was seen.
    advice : str
        What to do.
    steps : tuple of int
        The time steps concerned, in order.
    share : float or None
        Of dead units or saturated outputs.
    rate : float or None
        The factor per time step by which a gradient shrinks or grows on its way back.
    visit : int or None
        The visit of the record at which it shows.
    parameters : tuple of str
        Names of the parameters concerned.
    """

    severity: str
    kind: str
    where: str
    what: str
    advice: str
    steps: tuple[int, ...] = ()
    share: float | None = None
    rate: float | None = None
    visit: int | None = None
    parameters: tuple[str, ...] = ()
