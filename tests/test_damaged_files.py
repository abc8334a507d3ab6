"""Files that are damaged, or made to do harm: refused fast, in few words and little memory.

Thousands of such files were tried when this was written; here are some of each kind.
"""

from __future__ import annotations

import io
import json
import random
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from contextlib import contextmanager

import numpy as np
import pytest
from test_serialization import GOOD, archive, header, packed, same

import tinygrad_rnn as tg

SECONDS, TIMES_ITS_SIZE, FIRST_BYTES = 15.0, 30, 8e6  # bounds far above what it takes
MESSAGE = 400
MANY = 300_000


@contextmanager
def within_bounds(size):
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        took, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took < SECONDS
    assert peak < TIMES_ITS_SIZE * size + FIRST_BYTES, f"{peak:,} bytes for a file of {size:,}"


def loaded(data, path):
    """What is in a file, or the refusal, which is a short ValueError."""
    path.write_bytes(data)
    with within_bounds(len(data)):
        try:
            return tg.load(path)
        except ValueError as error:
            refusal: BaseException | None = error
    shown = refusal
    while shown is not None:  # a traceback prints them all
        assert len(str(shown)) < MESSAGE + len(str(path))
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return refusal


# -- files made to do harm ---------------------------------------------------------------------


def structured(content, tensors="[]", arrays=()):
    start = '{"format":"tinygrad_rnn","version":1,"tensors":'
    text = f'{start}{tensors},"content":{content}}}'
    return archive([("tinygrad_rnn.json", text), *((f"{i}.npy", a) for i, a in enumerate(arrays))])


def npy(shape, descr="'<f8'"):
    return b"\x93NUMPY\x01\x00  " + header(descr=descr, shape=shape).encode()


def pairs(keys):
    return f'{{"dict":[{",".join(f"[{key},0]" for key in keys)}]}}'


SAME_HASH = [i * (2**61 - 1) for i in range(1, 20_000)]
HARMFUL = {
    "a million axes": (structured("1", arrays=[npy("(" + "1, " * 10**6 + ")")]), "wrong header"),
    "a length of a million digits": (
        structured("1", arrays=[npy("(" + "9" * 10**6 + ",)")]),
        "wrong header",
    ),
    "sixty huge axes": (
        structured("1", arrays=[npy("(" + "99999999999, " * 60 + ")")]),
        "wrong length",
    ),
    "a huge type": (structured("1", arrays=[npy("(1,)", f"'<f{'9' * 10**5}'")]), "damaged"),
    "empty lists": (structured("[" + "[]," * 10 * MANY + "[]]"), "3,000,004 lists, too many"),
    "empty objects": (structured("[" + "{}," * 10 * MANY + "[]]"), "3,000,004 lists, too many"),
    "empty tuples": (structured("[" + '{"tuple":[]},' * 3 * MANY + "[]]"), "too many"),
    "empty dicts": (structured("[" + '{"dict":[]},' * 3 * MANY + "[]]"), "too many"),
    "keys of one hash": (structured(pairs(SAME_HASH)), "same hash"),
    "keys in tuples of one hash": (
        structured(pairs(f'{{"tuple":[{key}]}}' for key in SAME_HASH)),
        "same hash",
    ),
    "one key many times": (structured(pairs([1] * 20_000)), "same hash"),
    "a number of letters": (structured('{"int":"%s"}' % ("g" * 10**6)), "damaged"),
    "a type of letters": (structured('{"dtype":"%s"}' % ("g" * 10**6)), "type of elements"),
    "a kind of letters": (structured('{"%s":0}' % ("g" * 10**6)), "no known kind"),
    "a flag of letters": (
        structured("1", '[[0,"%s",false]]' % ("y" * 10**6), [npy("(0,)")]),
        "damaged",
    ),
    "a flag of numbers": (
        structured("1", "[[0,[%s1],false]]" % ("1," * 10**5), [npy("(0,)")]),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_files(name, tmp_path):
    data, message = HARMFUL[name]
    refusal = loaded(data, tmp_path / "x.tg")
    assert isinstance(refusal, ValueError)
    assert message in str(refusal)


HARMLESS = {
    "brackets in a text": "[{" * 10**6,
    "brackets and quotes in a text": '"[\\"{\\' * 3 * 10**5,
    "many numbers": [0, 1.5] * (MANY // 2),
    "many words": {f"word {i}": i for i in range(MANY // 4)},
    "many pairs": [[i, i + 1] for i in range(MANY // 2)],
    "keys that are far apart": {i << 40: i for i in range(5000)},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_harmful_is_loaded(name, tmp_path):
    obj = HARMLESS[name]
    assert same(loaded(packed(obj), tmp_path / "x.tg"), obj)


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    for obj in ([[]] * 2 * MANY, {i: {} for i in range(MANY)}):
        with pytest.raises(ValueError, match=r"save: \d{3},\d{3} lists.*make arrays of them"):
            tg.save(obj, tmp_path / "x.tg")
    assert not list(tmp_path.iterdir())


def safetensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(shape, dtype="F32", size=4):
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}


HARMFUL_SAFETENSORS = {
    "a million axes": safetensors({"a": tensor([1] * 10**6)}, bytes(4)),
    "65 axes": safetensors({"a": tensor([1] * 65)}, bytes(4)),
    "huge and empty": safetensors({"a": tensor([0, 2**62, 2**62], size=0)}),
    "a type of letters": safetensors({"a": tensor([1], "x" * 10**6)}, bytes(4)),
    "a type of lists": safetensors({"a": tensor([1], ["x"] * 10**5)}, bytes(4)),
    "empty lists": safetensors(b'{"a":[' + b"[]," * 10**6 + b"[]]}"),
    "nested": safetensors(b"[" * 10**6),
    "a type that is none here": safetensors({"a" * 10**6: tensor([1], "F8_E5M2", 1)}, bytes(1)),
}


@pytest.mark.parametrize("name", HARMFUL_SAFETENSORS)
def test_harmful_safetensors(name, tmp_path):
    pytest.importorskip("safetensors")
    assert isinstance(loaded(HARMFUL_SAFETENSORS[name], tmp_path / "x.safetensors"), ValueError)


# -- files that are damaged at random ----------------------------------------------------------

PIECES = (
    b"[", b"]", b"{", b"}", b'"', b"9" * 30, b"[[]," * 50, b"\\ud800", b"1e999", b"null", b"PK\1\2",
    b"PK\3\4", b"\xff" * 4, bytes(4), b"'shape': (", b"99999999999," * 40, b'{"tensor":',
    b'{"tuple":[', b"\x7f" + b"\xff" * 7,
)  # fmt: skip


def damaged(chance, data):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at, piece = chance.randrange(len(data) + 1), chance.choice(PIECES)
        way = chance.randrange(6)
        if way == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif way == 1:
            data[at:at] = piece
        elif way == 2:
            data[at : at + len(piece)] = piece
        elif way == 3:
            del data[at : at + chance.choice((1, 4, 100, 10_000))]
        elif way == 4:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.choice((1, 10, 200))]
        elif at < len(data):
            data[at] ^= 1 << chance.randrange(8)
    return bytes(data)


def damaged_inside(chance, data):
    """A zip with sums that are right, and something wrong in one of its members."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    at = chance.randrange(len(members))
    members[at] = members[at][0], damaged(chance, members[at][1])
    return archive(members)


OURS = [
    GOOD,
    packed({"l": list(range(200)), "d": {i: (i, str(i)) for i in range(50)}, "w": tg.ones(9, 9)}),
    packed([OrderedDict(a=1), float("nan"), 2**70, tg.int64, np.float32(1), None, True]),
    packed(tg.nn.LSTM(2, 3).state_dict()),
]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("damage", [damaged, damaged_inside])
def test_damaged_files(damage, seed, tmp_path):
    chance = random.Random(seed)
    for _ in range(40):
        loaded(damage(chance, chance.choice(OURS)), tmp_path / "x.tg")


@pytest.mark.parametrize("seed", range(8))
def test_damaged_safetensors(seed, tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    chance = random.Random(seed)
    whole = [
        library.save({"a": np.ones((2, 3), "f4"), "b": np.arange(5), "c": np.zeros((0, 4))}),
        library.save({f"w{i}": np.ones(i, "f8") for i in range(30)}),
    ]
    for _ in range(40):
        data = chance.choice(whole)
        if chance.random() < 0.7:  # in the header, the length of which is right
            (size,) = struct.unpack("<Q", data[:8])
            text = damaged(chance, data[8 : 8 + size])
            data = struct.pack("<Q", len(text)) + text + data[8 + size :]
        else:
            data = damaged(chance, data)
        loaded(data, tmp_path / "x.safetensors")
