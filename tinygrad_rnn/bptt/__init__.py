"""Backpropagation through time as data: what a backward walk did, step by step."""

from importlib import import_module as _import
from typing import TYPE_CHECKING

from tinygrad_rnn.autograd.contexts import keep_values, scope, step, traced
from tinygrad_rnn.bptt.contributions import ContributionMatrix, Contributions, contributions
from tinygrad_rnn.bptt.record import Record, Visit, record

if TYPE_CHECKING:  # who checks types sees these names, and no others
    from tinygrad_rnn.bptt.diagnosis import Diagnosis, diagnose
    from tinygrad_rnn.bptt.exercises import Exercise, exercise
    from tinygrad_rnn.bptt.explanation import Explanation, explain
    from tinygrad_rnn.bptt.history import History
    from tinygrad_rnn.bptt.illnesses.finding import Finding
    from tinygrad_rnn.bptt.penalty import vanishing_penalty
    from tinygrad_rnn.bptt.rerun import again
    from tinygrad_rnn.bptt.sheets import from_spreadsheet, spreadsheet
    from tinygrad_rnn.bptt.sheets.grading import Grade, Grades, grade
    from tinygrad_rnn.bptt.sheets.worksheets import worksheet
    from tinygrad_rnn.bptt.state_flow import Flow, StateFlow, flow
    from tinygrad_rnn.bptt.state_jacobians import Jacobians, jacobians
    from tinygrad_rnn.bptt.surface import ErrorSurface, error_surface
    from tinygrad_rnn.bptt.truncation import (
        Truncation,
        TruncationComparison,
        compare_truncation,
        truncate,
    )
    from tinygrad_rnn.bptt.written import program
    from tinygrad_rnn.bptt.zero import Reason, WhyZero, why_zero
    from tinygrad_rnn.compiled.scan import scan
else:
    _ELSEWHERE = {
        "diagnosis": ("Diagnosis", "diagnose"),
        "surface": ("ErrorSurface", "error_surface"),
        "exercises": ("Exercise", "exercise"),
        "explanation": ("Explanation", "explain"),
        "illnesses.finding": ("Finding",),
        "history": ("History",),
        "penalty": ("vanishing_penalty",),
        "rerun": ("again",),
        "sheets": ("from_spreadsheet", "spreadsheet"),
        "sheets.grading": ("Grade", "Grades", "grade"),
        "sheets.worksheets": ("worksheet",),
        "state_flow": ("Flow", "StateFlow", "flow"),
        "state_jacobians": ("Jacobians", "jacobians"),
        "written": ("program",),
        "zero": ("Reason", "WhyZero", "why_zero"),
        "truncation": ("Truncation", "TruncationComparison", "compare_truncation", "truncate"),
    }
    _HOME = {name: f"{__name__}.{module}" for module, names in _ELSEWHERE.items() for name in names}
    _HOME["scan"] = "tinygrad_rnn.compiled.scan"

    def __getattr__(name):
        """Import what looks into a walk when first asked for: importing the package is quick."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(_import(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ContributionMatrix",
    "Contributions",
    "Diagnosis",
    "ErrorSurface",
    "Exercise",
    "Explanation",
    "Finding",
    "Flow",
    "Grade",
    "Grades",
    "History",
    "Jacobians",
    "Reason",
    "Record",
    "StateFlow",
    "Truncation",
    "TruncationComparison",
    "Visit",
    "WhyZero",
    "again",
    "compare_truncation",
    "contributions",
    "diagnose",
    "error_surface",
    "exercise",
    "explain",
    "flow",
    "from_spreadsheet",
    "grade",
    "jacobians",
    "keep_values",
    "program",
    "record",
    "scan",
    "scope",
    "spreadsheet",
    "step",
    "traced",
    "truncate",
    "vanishing_penalty",
    "why_zero",
    "worksheet",
]
