"""
Who remembers: RNN, LSTM and GRU
================================

Two classic tasks can only be solved by keeping something for long: add two marked numbers of a long
sequence, and repeat a word after a pause. Three nets of one size learn both, and the flow of their
gradients through time shows what each of them lets through, before it has learned and after.
"""

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(
    steps=(1500, "of training, for each net and task"),
    length=(40, "of the sequences whose marked numbers are added"),
    pause=(20, "steps between the end of a word and the mark to repeat it"),
    units=(48, "of each net"),
    picture=("long_memory.svg", "where the picture goes"),
)
KINDS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
BATCH, WORD, LETTERS = 64, 4, 6

# %%
# The tasks
# ---------
#
# Adding (Hochreiter and Schmidhuber 1997): random numbers, two of them marked, one in either half.
# At the end their sum is asked for. Who always says 1, their mean, is wrong by 1/6 in the square.


def adding():
    n = settings.length
    x = tg.zeros(n, BATCH, 2)
    x[:, :, 0] = tg.rand(n, BATCH)
    each = tg.arange(BATCH)
    for half in (tg.randint(0, n // 2, (BATCH,)), tg.randint(n // 2, n, (BATCH,))):
        x[half, each, 1] = 1.0
    return x, (x[:, :, 0] * x[:, :, 1]).sum(0)


def added(said, wanted):
    return F.mse_loss(said[-1, :, 0], wanted)


# %%
# Copying: a word of four letters, a pause, a mark, and then the word again. Who has forgotten it
# can only guess, and has a loss of ln 6 = 1.79.


def copying():
    word = tg.randint(0, LETTERS, (WORD, BATCH))
    blank, mark = LETTERS, LETTERS + 1
    pause = tg.full((settings.pause, BATCH), blank)
    asked = tg.full((WORD, BATCH), blank)
    asked[0] = mark
    return F.one_hot(tg.cat([word, pause, asked]), LETTERS + 2).float(), word


def copied(said, word):
    return F.cross_entropy(said[-WORD:].flatten(0, 1), word.flatten())


TASKS = {"adding": (adding, added, 2, 1), "copying": (copying, copied, LETTERS + 2, LETTERS)}

# %%
# Learning
# --------


class Net(nn.Module):
    def __init__(self, kind, inputs, outputs):
        super().__init__()
        self.layer = KINDS[kind](inputs, settings.units, fused=True)
        self.head = nn.Linear(settings.units, outputs)
        if kind == "LSTM":
            with tg.no_grad():  # open forget gates, as is usual: of i, f, g, o the second quarter
                self.layer.bias_ih_l0.chunk(4)[1].fill_(1.0)

    def forward(self, x):
        return self.head(self.layer(x)[0])


def trained(kind, task):
    sample, loss_of, inputs, outputs = TASKS[task]
    tg.manual_seed(0)
    net = Net(kind, inputs, outputs)
    optimizer = optim.Adam(net.parameters(), lr=5e-3)
    history = bptt.History()
    for _ in history.over(range(settings.steps), desc=f"{kind}, {task}"):
        x, wanted = sample()
        loss = loss_of(net(x), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        history.add(loss=loss)
    return net, history["loss"][-50:].mean()


nets, reached = {}, {}
for task in TASKS:
    for kind in KINDS:
        nets[kind, task], reached[kind, task] = trained(kind, task)
        print(f"{task:8} {kind:5} loss {reached[kind, task]:.4f}")

# %%
# What is let through
# -------------------
#
# The loss of the adding task enters at the last step. How much of it comes back to the first? All
# three nets are asked in one walk, to begin with as they are before any training.


class Beside(nn.Module):
    def __init__(self, nets):
        super().__init__()
        for kind, net in nets.items():
            self.add_module(kind, net)

    def forward(self, x, wanted):
        return sum(added(net(x), wanted) for net in self.children())


def walk_of(nets):
    tg.manual_seed(1)
    return bptt.record(Beside(nets)(*adding()))


def left_over(walk):
    """‖∂L/∂h₁‖ as a share of ‖∂L/∂h_T‖."""
    norms = [series.norms().gradient for series in bptt.flow(walk) if series.name == "h"]
    return {kind: h[0] / h[-1] for kind, h in zip(KINDS, norms)}


def tell(shares):
    print(", ".join(f"{kind} {share:.0e}" for kind, share in shares.items()))


tg.manual_seed(0)
walk = walk_of({kind: Net(kind, 2, 1) for kind in KINDS})
tell(left_over(walk))

# %%
# On a logarithmic axis every step back is the same step down: what the first steps could say is
# next to nothing beside what the last ones say. The open forget gates of the LSTM help, the gates
# of the GRU stand half open and do not yet.

picture = viz.gradient_flow(
    walk, title="Before training: the loss of the last step on its way back"
)
picture.save(settings.picture)
picture

# %%
# And afterwards: who has learned to keep a number has learned to keep its gradient. A gate can do
# that for some units and some steps, and the RNN has no gate.

after = left_over(walk_of({kind: nets[kind, "adding"] for kind in KINDS}))
tell(after)
