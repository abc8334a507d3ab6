"""The named tuples of values and indices behave and print as PyTorch's."""

import copy
import pickle

import pytest

import tinygrad_rnn as tg

torch = pytest.importorskip("torch", reason="compares with PyTorch")

CALLS = {
    "max": lambda x: x.max(0),
    "min": lambda x: x.min(-1),
    "median": lambda x: x.median(0),
    "sort": lambda x: x.sort(),
    "topk": lambda x: x.topk(1),
}


@pytest.mark.parametrize("data", [[[1.0, 5.0], [7.0, 3.0]], [2.0, 9.0, 4.0], 3.0])
@pytest.mark.parametrize("name", CALLS)
def test_prints_as_torch(name, data):
    ours, theirs = CALLS[name](tg.tensor(data)), CALLS[name](torch.tensor(data))
    assert repr(ours) == repr(theirs)
    assert str(ours) == str(theirs)
    assert type(ours).__name__ == type(theirs).__name__


@pytest.mark.parametrize("name", CALLS)
def test_is_a_tuple_that_copies(name):
    ours = CALLS[name](tg.tensor([[1.0, 5.0], [7.0, 3.0]]))
    values, indices = ours
    assert isinstance(ours, tuple)
    assert len(ours) == 2
    assert ours.values is values is ours[0]
    assert ours.indices is indices is ours[1]
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert type(other) is type(ours)
        assert repr(other) == repr(ours)


@pytest.mark.parametrize("name", CALLS)
def test_the_node_is_called_as_in_torch(name):
    data = [[1.0, 5.0], [7.0, 3.0]]
    ours = CALLS[name](tg.tensor(data, requires_grad=True))
    theirs = CALLS[name](torch.tensor(data, requires_grad=True))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    "pick",
    [
        lambda lib, x: x.t(),
        lambda lib, x: x.gather(1, lib.tensor([[0], [1]])),
        lambda lib, x: x.gather(0, lib.tensor([[0, 1]])),
        lambda lib, x: x.index_select(1, lib.tensor([1, 0])),
        lambda lib, x: x[0].index_select(0, lib.tensor([1])),
    ],
)
def test_nodes_of_what_is_picked(pick) -> None:
    ours, theirs = (pick(lib, lib.ones(2, 2, requires_grad=True)) for lib in (tg, torch))
    assert repr(ours) == repr(theirs)
