"""The comparison of texts that hold numbers tells rounding from a change."""

from __future__ import annotations

import pytest
from alike import assert_alike, difference, holds

LINE = '<path d="M105.77 30h-18.00" fill="#F1F5F9"><title>t = 9: 2.8e-5</title></path>'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.8e-5", "2.9e-5"), ("105.77", "105.78"), ("-18.00", "-17.99"), ("#F1F5F9", "#F1F6F8"),
    ],
)  # fmt: skip
def test_rounding_is_no_difference(old, new):
    assert_alike(LINE.replace(old, new), LINE)
    assert_alike(LINE, LINE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.8e-5", "3.0e-5"), ("2.8e-5", "2.8e-4"), ("2.8e-5", "-2.8e-5"), ("105.77", "105.79"),
        ("105.77", "105.770"), ("t = 9", "t = 8"), ("30h", "31h"), ("#F1F5F9", "#F1FAF9"),
        ("#F1F5F9", "9"), ("title", "desc"), ("fill", "stroke"), ("M", "L"), ("2.8e-5", ""),
        ("9:", "9."), ("</path>", "</path>\n"), ("d=", "\nd="),
    ],
)  # fmt: skip
def test_a_change_is_one(old, new):
    changed = LINE.replace(old, new) + ("\n" if new.endswith("\n") else "")
    for pair in ((changed, LINE), (LINE, changed)):
        with pytest.raises(AssertionError):
            assert_alike(*pair)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.9e-5", "1.0e-4"), ("0.3", "0.2999"), ("-0.0", "0.0"), ("−1e-17", "3e-16"),
        ("0.10000001", "0.10000003"), ("[1. 2.5]", "[0.999999 2.5]"), ("0", "1e-17"),
        ("[1. 2.5]", "[1. 2.49999]"), ("x sha256-ab+/= y", "x sha256-cd= y"),
    ],
)  # fmt: skip
def test_one_number_written_in_two_ways(one, other):
    assert_alike(one, other)
    assert_alike(other, one)


def test_what_differs_is_told():
    assert difference("a 1.5 b 2.5", "a 1.5 b 2.7") == "2.5 is not 2.7"
    with pytest.raises(AssertionError, match=r"picture line 2: 3\.5 is not 3\.0"):
        assert_alike("a\n3.5", "a\n3.0", what="picture")


def test_a_part_of_a_text():
    assert holds("loss: 4.28835488 (13 visits)\n", "4.28835489")
    assert holds("[1.3142 2.6488]\n[0.79]", "[1.3143 2.6488]")
    assert not holds("[1.3142 2.6488]", "[1.3142 2.7488]")
    assert not holds("(13 visits)", "(12 visits)")
    assert not holds("after 13 visits.", "after 12 visits.")
