"""PyTorch's recurrent layers as a loop over time, each step with weights of its own.

PyTorch adds up the gradient of a weight over all steps before anyone can see the shares. With a
clone of the weight at every step each share is the gradient of a clone.
"""

from __future__ import annotations

from typing import Any

Clones = dict[str, list[Any]]


class Unrolled:
    """An `nn.RNN`, `LSTM` or `GRU` of PyTorch, run by a loop of one-step layers.

    Attributes
    ----------
    clones : dict
        For each parameter its clones, one for each step t = 1 … T; filled by a call. One that
        takes several parts, being tied, has the same clones in all of them, under its first name.
    """

    def __init__(self, torch: Any, layer: Any) -> None:
        self.torch, self.layer = torch, layer
        self.clones: Clones = {}

    def __call__(self, input: Any, hx: Any = None) -> list[Any]:
        """Run it; returns output (its data, if packed), h_n and, of an LSTM, c_n."""
        torch, layer = self.torch, self.layer
        self.clones.clear()
        rnn = torch.nn.utils.rnn
        packed = isinstance(input, rnn.PackedSequence)
        x = rnn.pad_packed_sequence(input)[0] if packed else input
        whole = x.ndim == 3
        if whole and layer.batch_first and not packed:
            x = x.transpose(0, 1)
        x = x if whole else x[:, None]
        steps, batch = x.shape[:2]
        lengths = torch.full((batch,), steps)
        if packed:
            lengths = rnn.pad_packed_sequence(input)[1]
        ys, last = self._layers(x, lengths, self._initial(x, hx, whole))
        if packed:
            ordered = input.sorted_indices is None
            output = rnn.pack_padded_sequence(ys, lengths, enforce_sorted=ordered).data
        elif not whole:
            output = ys[:, 0]
        else:
            output = ys.transpose(0, 1) if layer.batch_first else ys
        ends = [torch.stack(states) for states in zip(*last, strict=True)]
        return [output, *(ends if whole else [end[:, 0] for end in ends])]

    def _initial(self, x: Any, hx: Any, whole: bool) -> list[tuple[Any, ...]]:
        """The state that each layer and direction starts with."""
        layer = self.layer
        sizes = [layer.proj_size or layer.hidden_size]
        sizes += [layer.hidden_size] if layer.mode == "LSTM" else []
        count = layer.num_layers * (2 if layer.bidirectional else 1)
        if hx is None:
            given = [x.new_zeros(count, x.shape[1], size) for size in sizes]
        else:
            given = list(hx) if layer.mode == "LSTM" else [hx]
            given = given if whole else [s[:, None] for s in given]
        return list(zip(*given, strict=True))

    def _layers(self, x: Any, lengths: Any, initial: list[Any]) -> tuple[Any, list[Any]]:
        last: list[Any] = []
        for number in range(self.layer.num_layers):
            made = []
            for suffix in ("", "_reverse")[: 1 + bool(self.layer.bidirectional)]:
                start = initial[len(last)]
                ys, state = self._unroll(x, lengths, start, f"_l{number}{suffix}")
                made.append(self.torch.stack(ys))
                last.append(state)
            x = self.torch.cat(made, -1)
        return x, last

    def _unroll(self, x: Any, lengths: Any, state: Any, suffix: str) -> tuple[list[Any], Any]:
        """One layer in one direction; a sequence that has ended, or not begun, keeps its state."""
        torch, steps = self.torch, len(x)
        one, weights = self._one_step(x.shape[-1], suffix)
        for name in weights.values():
            if name not in self.clones:
                self.clones[name] = [self.layer.get_parameter(name).clone() for _ in range(steps)]
        ys: list[Any] = [None] * steps
        for t in reversed(range(steps)) if suffix.endswith("_reverse") else range(steps):
            now = {local: self.clones[name][t] for local, name in weights.items()}
            given = tuple(s[None] for s in state)
            given = given if len(given) == 2 else given[0]
            _, new = torch.func.functional_call(one, now, (x[t][None], given))
            alive = (lengths > t)[:, None]
            pairs = zip(new if isinstance(new, tuple) else (new,), state, strict=True)
            state = tuple(torch.where(alive, n[0], s) for n, s in pairs)
            ys[t] = torch.where(alive, state[0], 0)
        return ys, state

    def _one_step(self, features: int, suffix: str) -> tuple[Any, dict[str, str]]:
        """A layer like this part of the whole, and whose parameters stand for its own."""
        layer, more = self.layer, {}
        if layer.mode.startswith("RNN"):
            more["nonlinearity"] = layer.mode[4:].lower()
        if layer.proj_size:
            more["proj_size"] = layer.proj_size
        one = type(layer)(features, layer.hidden_size, bias=layer.bias, **more)
        locals_ = [name for name, _ in one.named_parameters()]
        return one, {name: self._first_name(name.removesuffix("_l0") + suffix) for name in locals_}

    def _first_name(self, name: str) -> str:
        """What a parameter is called where the layer has it first: it may be tied."""
        wanted = self.layer.get_parameter(name)
        known: dict[int, str] = {id(p): first for first, p in self.layer.named_parameters()}
        return known[id(wanted)]
