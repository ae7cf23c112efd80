"""YAML is read as YAML 1.2 has it where PyYAML has not."""

from pathlib import Path
from typing import Any

import pytest

from simworld.documents import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.5e3", 1500.0),
        ("1.e3", 1000.0),
        ("+1e3", 1000.0),
        ("-2E-4", -2e-4),
        ("1.5e+3", 1500.0),
        ("12", 12),
        ("'1e3'", "1e3"),
        ("1e", "1e"),
        ("1e3m", "1e3m"),
        ("e3", "e3"),
    ],
)
def test_numbers_have_exponents(tmp_path: Path, text: str, value: Any) -> None:
    (tmp_path / "one.yaml").write_text(f"value: {text}\n")
    found = read_yaml(tmp_path / "one.yaml", "file")["value"]
    assert found == value and type(found) is type(value)
