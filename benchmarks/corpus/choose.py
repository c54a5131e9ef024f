"""Choose superinstructions: `python -m benchmarks.corpus.choose MODULES… > _fastcore/generate/joined.txt`, on modules that are no kernel.

Each module weighs the same, and in it a function as much as the root of its length. In a function an operation counts 8 times as much
for each loop around it. The pair of neighbours that is most frequent is joined, again and again; of these rows those stay that save most
when the longest match is taken, as the translator does. Pairs are chosen as if there were nothing longer, and so are rows of three: long
ones fit these modules, pairs fit others as well. With `--without PREFIX` modules are left out whose names begin so, and it is said what the
rows save in those.
"""

import argparse
import importlib
import itertools
import re
from collections import defaultdict
from pathlib import Path

Row = tuple[str, ...]
LAST = re.compile(r"(br|ret|ret_._?r?|ret_k|br_table_(shared_)?(paid_)?.|call)$")
"""They may only end a row."""
ALONE = re.compile(
    r"enter(_[sr]|$)|copy_n|call_|return_call|unreachable|halt|restore|exhausted|throw|window|home|wide|far|struct_|array_|cast_|test_|i31_|atomic|table|"
    r"memory|data|elem|v128|[if](8x16|16x8|32x4|64x2)|ref_|.*(popcnt|ceil|floor|trunc|nearest|_min|_max|convert_i64_u|_v$)|"
    r"copy_v|const_v|keep_v|select_v|ret_v"
)
"""They call functions, or are too long or too rare to join."""
WANTED = {2: 1000, 3: 500}
"""So many rows of each length at most."""
LONGEST = max(WANTED)


METERED = 0.2
"""What code with fuel counts beside the same code without. Only rows matter in which there is an operation that is not in both."""


def segments(path: Path) -> list[tuple[float, Row]]:
    """Rows of operations between labels, each with its weight."""
    listing, modules = (importlib.import_module(f"pywasm_ref._fastcore.{name}") for name in ("listing", "modules"))
    module = modules.Module(path.read_bytes())
    found = [pair for operations in listing.listing(module) for pair in in_function(operations)]
    found += [
        (METERED * weight, row)
        for operations in listing.listing(module, metered=True)
        for weight, row in in_function(operations)
        if row[0] == "fuel" or re.match("br_table_(shared_)?paid", row[-1])
    ]
    total = sum(weight * len(row) for weight, row in found) or 1
    return [(weight / total, row) for weight, row in found if len(row) > 1]


def in_function(operations: list[tuple[int, str, list[int]]]) -> list[tuple[float, Row]]:
    found: list[tuple[float, Row]] = []
    labels = {target for _, _, targets in operations for target in targets}
    loops = {target: at for at, _, targets in operations for target in targets if target <= at}
    row: list[str] = []
    weight = 1.0
    for at, name, _ in operations:
        own = name.partition("__")[0]
        if row and (at in labels or ALONE.match(own)):
            found.append((weight, tuple(row)))
            row = []
        if ALONE.match(own):
            continue
        if not row:
            weight = 8.0 ** min(4, sum(start <= at <= end for start, end in loops.items()))
        row.append(own)
        if LAST.match(own):
            found.append((weight, tuple(row)))
            row = []
    whole = sum(weight * len(row) for weight, row in found) or 1
    return [(weight / whole * len(operations) ** 0.5, row) for weight, row in found]


class Pairs:
    """How often neighbours stand in rows that change."""

    def __init__(self, rows: dict[Row, float], longest: int) -> None:
        self.longest = longest
        self.rows: list[tuple[Row, ...]] = [tuple((name,) for name in names) for names in rows]
        self.weights = list(rows.values())
        self.sums: dict[tuple[Row, Row], float] = defaultdict(float)
        self.places: dict[tuple[Row, Row], set[int]] = defaultdict(set)
        for number in range(len(self.rows)):
            self.count(number, 1)

    def count(self, number: int, sign: int) -> None:
        for pair in itertools.pairwise(self.rows[number]):
            if len(pair[0]) + len(pair[1]) <= self.longest:
                self.sums[pair] += sign * self.weights[number]
                self.places[pair].add(number)

    def join(self, left: Row, right: Row) -> None:
        for number in self.places.pop((left, right)):
            self.count(number, -1)
            self.rows[number] = with_pair(self.rows[number], left, right)
            self.count(number, 1)
        del self.sums[left, right]


def with_pair(row: tuple[Row, ...], left: Row, right: Row) -> tuple[Row, ...]:
    """The same row with each such pair as one."""
    out: list[Row] = []
    for part in row:
        if out and part == right and out[-1] == left:
            out[-1] = left + right
        else:
            out.append(part)
    return tuple(out)


def choose(found: list[tuple[float, Row]], wanted: int, longest: int) -> list[Row]:
    """As many rows as wanted, if there are so many, by joining pairs."""
    rows: dict[Row, float] = defaultdict(float)
    for weight, names in found:
        rows[names] += weight
    pairs = Pairs(rows, longest)
    chosen: list[Row] = []
    while len(chosen) < wanted and pairs.sums:
        pair = max(pairs.sums, key=lambda pair: (pairs.sums[pair], pair))
        if pairs.sums[pair] <= 0:
            break
        chosen.append(pair[0] + pair[1])
        pairs.join(*pair)
    return chosen


def used(found: list[tuple[float, Row]], chosen: list[Row]) -> dict[Row, float]:
    """What each row saves when the longest match is taken, and under () what there was to save."""
    known = set(chosen)
    saved: dict[Row, float] = defaultdict(float)
    for weight, row in found:
        at = 0
        while at < len(row):
            n = next((n for n in range(min(LONGEST, len(row) - at), 1, -1) if row[at : at + n] in known), 1)
            if n > 1:
                saved[row[at : at + n]] += weight * (n - 1)
            saved[()] += weight * n
            at += n
    return saved


def best(found: list[tuple[float, Row]]) -> list[Row]:
    """The rows of each length that save most, the most useful of all first: the portable loop has only those."""
    chosen: list[Row] = []
    for length, wanted in WANTED.items():
        saved = used(found, choose(found, 2 * sum(WANTED.values()), length))
        chosen += sorted((row for row in saved if len(row) == length), key=lambda row: (-saved[row], row))[:wanted]
    together = used(found, chosen)
    return sorted(chosen, key=lambda row: (-together.get(row, 0), row))


def part_saved(found: list[tuple[float, Row]], rows: list[Row]) -> float:
    saved = used(found, rows)
    return sum(saved[row] for row in rows if row in saved) / saved[()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose superinstructions.")
    parser.add_argument("modules", nargs="+", type=Path)
    parser.add_argument("--without", metavar="PREFIX", help="leave out modules, to see what is saved in them")
    options = parser.parse_args()
    left_out = [path for path in options.modules if options.without and path.name.startswith(options.without)]
    found = [pair for path in options.modules if path not in left_out for pair in segments(path)]
    rows = best(found)
    if left_out:
        print(f"{part_saved([pair for path in left_out for pair in segments(path)], rows):.1%} of the dispatches of {options.without}*")
        return
    part = part_saved(found, rows)
    print(f"# Superinstructions, the most useful first; made by benchmarks/corpus/choose.py. They save {part:.0%} of its dispatches.")
    print("\n".join(" ".join(row) for row in rows))


if __name__ == "__main__":
    main()
