"""How the samples of a dataset are divided into files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Shards:
    """Files `folder/00000.suffix`, `00001`, ... with the samples 0 to `count` - 1 in order, `size` to a file."""

    folder: str
    suffix: str
    count: int
    size: int

    def __len__(self) -> int:
        return -(-self.count // self.size)

    def __iter__(self) -> Iterator[tuple[str, range]]:
        """Each file's name, and the numbers of its samples."""
        return ((self.name(k), self.numbers(k)) for k in range(len(self)))

    def name(self, number: int) -> str:
        """The name of a file in the dataset."""
        return f"{self.folder}/{number:05d}{self.suffix}"

    def numbers(self, number: int) -> range:
        """The samples in a file."""
        return range(number * self.size, min((number + 1) * self.size, self.count))

    def of(self, sample: int) -> str:
        """The name of the file with a sample."""
        return self.name(sample // self.size)

    def number(self, name: str) -> int | None:
        """The number of a file, None where there is none of that name."""
        digits = re.fullmatch(rf"{self.folder}/(\d{{5,18}}){re.escape(self.suffix)}", name)
        return k if digits and (k := int(digits[1])) < len(self) and self.name(k) == name else None
