"""
A program of somebody else, drawn
=================================

The classifier of many a PyTorch tutorial reads names letter by letter, through ``Linear`` and
``cat``. It has no recurrent layer, and says nothing of time. It runs here as it is, and one of its
backward walks is drawn. Another program can be named: ``--program train.py``. As a notebook this
lesson looks for ``programs/names.py`` in the folder it runs in.
"""

from pathlib import Path

from tinygrad_rnn import bptt, compat, viz
from tinygrad_rnn.utils import options

settings = options(
    program=("", "a script written for PyTorch; the classifier of names, if none is named"),
    at=(1, "which of its backward() is drawn"),
    picture=("names.svg", "where the picture goes"),
)
try:
    here = Path(__file__).parent
except NameError:  # a notebook is no file
    here = Path()
program = Path(settings.program or here / "programs" / "names.py")
print(program.read_text(encoding="utf-8").partition("torch.manual_seed")[0])

# %%
# Run and drawn
# -------------
#
# ``compat.run`` is the command ``tinygrad-rnn run``: the script runs in a world in which ``torch``
# means this package. It prints what it prints under PyTorch, which need not be installed.

ran = compat.run(program, draw=settings.picture, at=settings.at)

# %%
# What its backward did
# ---------------------
#
# Steps were found where there is a loop that carries something on: one for each letter. Boxes are
# named after the program's variables, and each parameter stands once, with what each letter gave.

print(ran.walk)
viz.draw(ran.walk)

# %%
# What came to the hidden state from its own output, and what through later letters: the loss is at
# the last letter alone, so that the rest had to come through time.

print(bptt.flow(ran.walk))

# %%
# The program's variables can be asked for. Which letter taught the hidden layer most?

if not settings.program:
    shares = bptt.contributions(ran.walk, ran.namespace["rnn"].i2h.weight)
    print(shares)
    assert list(shares) == [1, 2], "the last letter's hidden state is read by nobody"

# %%
# And what ails it, if anything:

print(bptt.diagnose(ran.walk))
