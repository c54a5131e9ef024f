"""Where a generator's decisions come from: a seeded source for campaigns, or Hypothesis, which can make a find smaller by itself."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Choices(ABC):
    """A source of decisions. Small numbers are the simple ones: whoever shrinks goes towards 0."""

    @abstractmethod
    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True that many times in a hundred."""
        return self.below(100) >= 100 - percent

    def choose(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Mapping[T, int]) -> T:
        """One of the keys, as often as its weight says."""
        sums = list(accumulate(options.values()))
        at = self.below(sums[-1])
        return next(option for option, limit in zip(options, sums, strict=True) if at < limit)

    def bits(self, width: int) -> int:
        """A number of that width, in parts that are small enough for every source."""
        return sum(self.below(1 << 32) << 32 * k for k in range((width + 31) // 32)) & (1 << width) - 1


class Seeded(Choices):
    """The same seed gives the same decisions, on every machine."""

    def __init__(self, seed: object) -> None:
        self._random = random.Random(str(seed)).random

    def below(self, n: int) -> int:
        return int(self._random() * n)


class Drawn(Choices):
    """Decisions of somebody who draws integers between two bounds, as Hypothesis does."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self._integer = integer

    def below(self, n: int) -> int:
        return self._integer(0, n - 1) if n > 1 else 0
