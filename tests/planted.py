"""Programs with a fault that beginners make, each written in the ways in which they write it.

A fault is ``FAULTS[name](rng)``: it returns a loss, the net (or its parameters) and the kind of
finding that must be named, whatever ``rng`` chose for sizes, cells and ways.
"""

from __future__ import annotations

import tinygrad_rnn as tg

F = tg.nn.functional
FAULTS = {}


def fault(kind):
    def known(function):
        FAULTS[function.__name__] = lambda rng: (*function(Setting(rng)), kind)
        return function

    return known


class Setting:
    """What varies: sizes, the kind of cell, where the loss is."""

    def __init__(self, rng) -> None:
        self.rng = rng
        tg.manual_seed(int(rng.integers(1 << 30)))
        self.T, self.B = int(rng.integers(5, 12)), int(rng.integers(2, 6))
        self.features, self.hidden = int(rng.integers(2, 7)), int(rng.integers(3, 25))
        if rng.random() < 0.25:
            self.features = self.hidden
        self.classes = int(rng.integers(3, 6))
        self.everywhere = bool(rng.random() < 0.5)
        self.xs = tg.randn(self.T, self.B, self.features)
        self.targets = tg.tensor(rng.integers(0, self.classes, self.B))
        self.head = tg.nn.Linear(self.hidden, self.classes)

    def pick(self, *ways):
        return ways[int(self.rng.integers(len(ways)))]

    def cell(self, *kinds):
        kind = self.pick(*(kinds or ("RNN", "LSTM", "GRU")))
        return getattr(tg.nn, f"{kind}Cell")(self.features, self.hidden)

    def middle(self):
        """A step in the middle."""
        return int(self.rng.integers(3, self.T))

    def loss(self, hs):
        used = hs if self.everywhere else hs[-1:]
        return sum(F.cross_entropy(self.head(h), self.targets) for h in used)

    def layer(self, *kinds, **options):
        kind = self.pick(*(kinds or ("RNN", "LSTM", "GRU")))
        return getattr(tg.nn, kind)(self.features, self.hidden, **options)


DETACH = [
    lambda h: h.detach(),
    lambda h: h.data,
    lambda h: tg.tensor(h.detach().numpy()),
    lambda h: tg.from_numpy(h.detach().numpy().copy()),
]


def over(state, how):
    return tuple(map(how, state)) if isinstance(state, tuple) else how(state)


def unroll(s, cell, between=lambda t, state: state, no_grad=()):
    """A loop over a cell; ``between`` sees the state before each step but the first."""
    state, hs = None, []
    for t in range(1, s.T + 1):
        with tg.step(t), tg.set_grad_enabled(t not in no_grad):
            state = cell(s.xs[t - 1], between(t, state) if t > 1 else state)
            hs.append(state[0] if isinstance(state, tuple) else state)
    return hs


# -- states that are cut off -----------------------------------------------------------------------


@fault("detached state")
def detached_every_step(s):
    how, cell = s.pick(*DETACH), s.cell()
    return s.loss(unroll(s, cell, lambda t, h: over(h, how))), cell


@fault("detached state")
def detached_once(s):
    how, cell, at = s.pick(*DETACH), s.cell(), s.middle()
    return s.loss(unroll(s, cell, lambda t, h: over(h, how) if t == at else h)), cell


@fault("detached state")
def detached_after_the_cell(s):
    cell, h = s.cell("RNN", "GRU"), tg.zeros(s.B, s.hidden)
    s.everywhere, hs = True, []
    for t in range(1, s.T + 1):
        with tg.step(t):
            h = cell(s.xs[t - 1], h)
            hs.append(h)
            h = h.detach()
    return s.loss(hs), cell


@fault("detached state")
def no_grad_in_some_steps(s):
    at = s.middle()
    return s.loss(unroll(s, cell := s.cell(), no_grad=range(1, at))), cell


@fault("detached state")
def no_grad_in_one_step(s):
    s.everywhere = False
    return s.loss(unroll(s, cell := s.cell(), no_grad=(s.middle(),))), cell


@fault("detached state")
def only_h_of_an_lstm_is_detached(s):
    how, cell = s.pick(*DETACH), s.cell("LSTM")
    return s.loss(unroll(s, cell, lambda t, hc: (how(hc[0]), hc[1]))), cell


@fault("detached state")
def only_c_of_an_lstm_is_detached(s):
    how, cell = s.pick(*DETACH), s.cell("LSTM")
    return s.loss(unroll(s, cell, lambda t, hc: (hc[0], how(hc[1])))), cell


def own_weights(s):
    bound = s.hidden**-0.5
    shapes = (s.features, s.hidden), (s.hidden, s.hidden)
    return [((tg.rand(*shape) * 2 - 1) * bound).requires_grad_() for shape in shapes]


@fault("detached state")
def own_loop_detached_every_step(s):
    w, u = own_weights(s)
    how, h, hs = s.pick(*DETACH), tg.zeros(s.B, s.hidden), []
    for t in range(1, s.T + 1):
        with tg.step(t):
            h = tg.tanh(s.xs[t - 1] @ w + how(h) @ u)
        hs.append(h)
    return s.loss(hs), [w, u]


@fault("detached state")
def own_loop_detached_once(s):
    w, u = own_weights(s)
    how, at, h, hs = s.pick(*DETACH), s.middle(), tg.zeros(s.B, s.hidden), []
    for t in range(1, s.T + 1):
        with tg.step(t):
            if t == at:
                h = how(h)
            h = tg.tanh(s.xs[t - 1] @ w + h @ u)
        hs.append(h)
    return s.loss(hs), [w, u]


@fault("detached state")
def own_module_with_cat_detached(s):
    i2h = tg.nn.Linear(s.features + s.hidden, s.hidden)
    how, h, hs = s.pick(*DETACH), tg.zeros(s.B, s.hidden), []
    for t in range(1, s.T + 1):
        with tg.step(t):
            h = tg.tanh(i2h(tg.cat([s.xs[t - 1], how(h)], 1)))
        hs.append(h)
    return s.loss(hs), i2h


@fault("detached state")
def encoder_detached_from_decoder(s):
    encoder, decoder, state = s.cell("GRU"), tg.nn.GRUCell(s.features, s.hidden), None
    for t in range(1, s.T + 1):
        with tg.step(t):
            state = encoder(s.xs[t - 1], state)
    aside, state, hs = state, state.detach(), []
    for t in range(s.T + 1, 2 * s.T + 1):
        with tg.step(t):
            state = decoder(s.xs[t - s.T - 1], state)
        hs.append(state)
    return s.loss(hs) + s.loss([aside]), encoder


# -- states that are not handed on ----------------------------------------------------------------


@fault("state reset")
def never_carried_by_a_cell(s):
    cell, zero = s.cell("RNN", "GRU"), tg.zeros(s.B, s.hidden)
    given = s.pick(lambda: None, lambda: zero, lambda: tg.zeros(s.B, s.hidden))
    return s.loss(unroll(s, cell, lambda t, h: given())), cell


@fault("state reset")
def never_carried_by_an_lstm_cell(s):
    return s.loss(unroll(s, cell := s.cell("LSTM"), lambda t, hc: None)), cell


@fault("state reset")
def c_of_an_lstm_reset_each_step(s):
    s.everywhere, same = True, tg.zeros(s.B, s.hidden)
    c = s.pick(lambda: tg.zeros(s.B, s.hidden), lambda: same)
    return s.loss(unroll(s, cell := s.cell("LSTM"), lambda t, hc: (hc[0], c()))), cell


@fault("state reset")
def h_of_an_lstm_reset_each_step(s):
    zeros = tg.zeros(s.B, s.hidden)
    return s.loss(unroll(s, cell := s.cell("LSTM"), lambda t, hc: (zeros, hc[1]))), cell


@fault("state reset")
def state_set_back_in_mid_sequence(s):
    s.everywhere, at, cell = True, s.middle(), s.cell("RNN", "GRU")
    return s.loss(unroll(s, cell, lambda t, h: tg.zeros(s.B, s.hidden) if t == at else h)), cell


@fault("state reset")
def own_loop_never_carried(s):
    w, u = own_weights(s)
    h0, hs, s.everywhere = tg.zeros(s.B, s.hidden), [], True
    for t in range(1, s.T + 1):
        with tg.step(t):
            hs.append(tg.tanh(s.xs[t - 1] @ w + h0 @ u))
    return s.loss(hs), [w, u]


@fault("state reset")
def own_lstm_whose_c_is_reset(s):
    W = tg.nn.Linear(s.features + s.hidden, 4 * s.hidden)
    h, hs, s.everywhere = tg.zeros(s.B, s.hidden), [], True
    for t in range(1, s.T + 1):
        with tg.step(t):
            c = tg.zeros(s.B, s.hidden)
            i, f, g, o = W(tg.cat([s.xs[t - 1], h], 1)).chunk(4, 1)
            c = tg.sigmoid(f) * c + tg.sigmoid(i) * tg.tanh(g)
            h = tg.sigmoid(o) * tg.tanh(c)
        hs.append(h)
    return s.loss(hs), W


ZERO = [
    lambda h: h * 0,
    lambda h: h * tg.zeros_like(h),
    lambda h: h * tg.zeros(h.shape[0], 1),
    lambda h: h.masked_fill(tg.ones(*h.shape, dtype=tg.bool), 0.0),
]


@fault("blocked state")
def state_times_zero_in_mid_sequence(s):
    how, at, cell = s.pick(*ZERO), s.middle(), s.cell()
    return s.loss(unroll(s, cell, lambda t, h: over(h, how) if t == at else h)), cell


@fault("blocked state")
def own_state_times_zero(s):
    w, u = own_weights(s)
    how, at, h, hs = s.pick(*ZERO), s.middle(), tg.zeros(s.B, s.hidden), []
    for t in range(1, s.T + 1):
        with tg.step(t):
            h = tg.tanh(s.xs[t - 1] @ w + h @ u)
            hs.append(h)
            if t == at:
                h = how(h)
    return s.loss(hs), [w, u]


@fault("blocked state")
def rounded_states(s):
    how, cell = s.pick(tg.round, tg.sign), s.cell("RNN", "GRU")
    return s.loss(unroll(s, cell, lambda t, h: how(h))), cell


# -- losses --------------------------------------------------------------------------------------


def scores_of(s):
    output, _ = (net := s.layer())(s.xs)
    return s.head(output[-1]), net


@fault("probabilities as logits")
def softmax_before_cross_entropy(s):
    scores, net = scores_of(s)
    how = s.pick(
        lambda x: F.softmax(x, dim=1),
        lambda x: tg.nn.Softmax(dim=-1)(x),
        lambda x: x.softmax(1).reshape(-1, s.classes),
        lambda x: tg.stack([tg.softmax(row, 0) for row in x]),
        tg.sigmoid,
    )
    return F.cross_entropy(how(scores), s.targets), net


@fault("probabilities as logits")
def softmax_at_every_step_before_cross_entropy(s):
    output, _ = (net := s.layer())(s.xs)
    p = F.softmax(s.head(output), -1)
    targets = tg.tensor(s.rng.integers(0, s.classes, s.T * s.B))
    ways = [lambda: p.reshape(-1, s.classes), lambda: p.view(s.T * s.B, s.classes)]
    return tg.nn.CrossEntropyLoss()(s.pick(*ways)(), targets), net


@fault("probabilities as logits")
def sigmoid_before_bce_with_logits(s):
    scores, net = scores_of(s)
    y = tg.tensor(s.rng.integers(0, 2, (s.B, s.classes))).float()
    loss = s.pick(F.binary_cross_entropy_with_logits, tg.nn.BCEWithLogitsLoss())
    return loss(tg.sigmoid(scores), y), net


@fault("no log-probabilities")
def nll_loss_of_scores(s):
    scores, net = scores_of(s)
    return s.pick(F.nll_loss, tg.nn.NLLLoss())(scores, s.targets), net


@fault("no log-probabilities")
def nll_loss_of_probabilities(s):
    scores, net = scores_of(s)
    return F.nll_loss(F.softmax(scores, 1), s.targets), net


@fault("softmax over samples")
def softmax_over_the_batch(s):
    scores, net = scores_of(s)
    y = F.one_hot(s.targets, s.classes).float()
    how = s.pick(
        lambda: F.nll_loss(F.log_softmax(scores, 0), s.targets),
        lambda: F.nll_loss(tg.log(F.softmax(scores, 0)), s.targets),
        lambda: -(y * tg.log(F.softmax(scores, dim=0))).sum(1).mean(),
        lambda: -(y * F.log_softmax(scores, dim=0)).sum(),
        lambda: ((F.softmax(scores, dim=0) - y) ** 2).mean(),
    )
    return how(), net


@fault("softmax over samples")
def softmax_over_the_batch_at_every_step(s):
    output, _ = (net := s.layer())(s.xs)
    axis = s.pick(0, 1)
    p = F.log_softmax(s.head(output), axis)
    targets = tg.tensor(s.rng.integers(0, s.classes, s.T * s.B))
    return F.nll_loss(p.reshape(-1, s.classes), targets), net


# -- weights, walks, axes --------------------------------------------------------------------------


@fault("identical units")
def constant_initial_weights(s):
    net, value = s.layer(), float(s.rng.uniform(0.05, 0.4))
    with tg.no_grad():
        for p in net.parameters():
            p.fill_(value if p.ndim > 1 else s.pick(0.0, value))
    return s.loss(list(net(s.xs)[0])), net


@fault("identical units")
def own_weights_of_ones(s):
    w = (tg.ones(s.features, s.hidden) * 0.1).requires_grad_()
    u = (tg.ones(s.hidden, s.hidden) * 0.05).requires_grad_()
    h, hs = tg.zeros(s.B, s.hidden), []
    for t in range(1, s.T + 1):
        with tg.step(t):
            h = tg.tanh(s.xs[t - 1] @ w + h @ u)
        hs.append(h)
    return s.loss(hs), [w, u]


@fault("leftover gradient")
def zero_grad_is_forgotten(s):
    net = s.layer()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(s.pick(1, 2, 5)):
        s.loss(list(net(s.xs)[0])).backward()
        optimizer.step()
    return s.loss(list(net(s.xs)[0])), net


@fault("mixed-up axes")
def last_step_of_the_wrong_axis(s):
    net = s.layer(num_layers=s.pick(1, 2))
    if s.pick(True, False):
        output = net(s.xs)[0]  # (T, B, H), taken for (B, T, H)
        targets = tg.tensor(s.rng.integers(0, s.classes, s.T))
        return F.cross_entropy(s.head(output[:, -1]), targets), net
    net.batch_first = True  # (B, T, H) of an input (T, B, …): rows are taken for steps
    output = net(s.xs)[0]
    return F.cross_entropy(s.head(output[-1]), s.targets), net


@fault("mixed-up axes")
def average_over_the_wrong_axis(s):
    net = s.layer()
    output = net(s.xs)[0]
    pooled = s.pick(lambda: output.mean(1), lambda: output.sum(1), lambda: output.amax(1))()
    targets = tg.tensor(s.rng.integers(0, s.classes, s.T))
    return F.cross_entropy(s.head(pooled), targets), net
