"""The commands, a file each: ``add`` says what it takes, ``run`` carries it out."""

from tinygrad_rnn.cli.commands import (
    check,
    completion,
    demo,
    draw,
    grade,
    play,
    program,
    run,
    sheet,
    worksheet,
)

COMMANDS = (demo, run, draw, play, program, sheet, worksheet, grade, check, completion)
"""In the order in which help lists them."""
