"""Quotas are read from text and plain data, written again, and refused where they are none."""

from collections.abc import Callable
from typing import Any

import pytest

from simworld.errors import ConfigurationError
from simworld.randomization.quotas.quota import Quota, read_quotas


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("dropped=5%", "dropped=true:5%"),
        ("occlusion[0.5,0.8]=50%", "occlusion=[0.5,0.8]:50%"),
        ("occlusion[0.5,0.8]=500", "occlusion=[0.5,0.8]:500"),
        ("objects.0.kind=cuboid:12.5%,mug:7", "objects.0.kind=cuboid:12.5%,mug:7"),
        ("objects.0.kind=uniform", "objects.0.kind=uniform"),
        ("objects.count=uniform(1,2,3)", "objects.count=uniform(1,2,3)"),
        ("a=uniform([0,0.5],[0.5,1])", "a=uniform([0,0.5],[0.5,1])"),
        ("goal.on_table=0:25%,1:75%", "goal.on_table=0:25%,1:75%"),
    ],
)
def test_a_quota_is_read_and_written(short: str, full: str) -> None:
    quota = Quota.parse(short)
    assert str(quota) == full and Quota.parse(full) == quota
    assert read_quotas([full]) == (quota,)


def test_quotas_are_read_from_plain_data() -> None:
    plain = {"dropped": "5%", "touching": 0.1, "occlusion": {"[0.5,0.8]": 500, "[0.8,1]": "1%"}, "kind": "uniform(a,b)"}
    texts = ["dropped=5%", "touching=10%", "occlusion=[0.5,0.8]:500,[0.8,1]:1%", "kind=uniform(a,b)"]
    assert read_quotas(plain) == read_quotas(texts)


def test_numbers_add_up_by_largest_remainder_and_intervals_meet() -> None:
    assert Quota.parse("kind=uniform(a,b,c)").asked(100) == [34, 33, 33, 0]
    assert Quota.parse("kind=a:33.3%,b:10").asked(100) == [33, 10, 57]
    quota = Quota.parse("x=[0,0.5]:10%,[0.5,1]:10%")
    assert [quota.where(value) for value in (0, 0.49, 0.5, 1.0, 1.01, None)] == [0, 0, 1, 1, 2, 2]


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: Quota.parse("dropped"), "FEATURE=AMOUNT"),
    (lambda: Quota.parse("dropped=often"), "'often'"),
    (lambda: Quota.parse("dropped=nan%"), "amount"),
    (lambda: Quota.parse("dropped=-5%"), "amount"),
    (lambda: Quota.parse("x[0.5]=5%"), r"\[LOW,HIGH\]"),
    (lambda: Quota.parse("x[0.8,0.5]=5%"), "low must be at most high"),
    (lambda: Quota.parse("x=[0,0.5]:10%,[0.4,1]:10%"), r"\[0,0.5\] and \[0.4,1\] overlap"),
    (lambda: Quota.parse("x=a:10%,a:10%"), "a and a overlap"),
    (lambda: Quota.parse("x=[0,1]:10%,a:10%"), "intervals and values"),
    (lambda: Quota.parse("x=a:60%,b:50%"), "110.*more than 100%"),
    (lambda: read_quotas(["x=1%", "x[0,1]=1%"]), "several quotas over x"),
    (lambda: Quota.parse("x=600").asked(500), "600 samples, more than the 500"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_bad_quota_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()
