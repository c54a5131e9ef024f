"""Choose superinstructions: `python -m benchmarks.corpus.choose MODULES… > _fastcore/generate/joined.txt`, on modules that are no kernel.

Each module weighs the same. An operation counts 8 times as much for each loop around it. The pair of neighbours that is most frequent is
joined, again and again; of these rows those stay that save most when the longest match is taken, as the translator does. Short rows are
the better ones: long ones fit these modules and no others.
"""

import argparse
import importlib
import itertools
import re
from collections import defaultdict
from pathlib import Path

Row = tuple[str, ...]
LAST = re.compile(r"(br|ret|ret_._?r?|ret_k|br_table_.|call)$")
"""They may only end a row."""
ALONE = re.compile(
    r"enter(_[sr]|$)|copy_n|call_|return_call|unreachable|halt|fuel|restore|exhausted|throw|window|home|wide|far|struct_|array_|cast_|test_|i31_|atomic|table|"
    r"memory|data|elem|v128|[if](8x16|16x8|32x4|64x2)|ref_|.*(popcnt|ceil|floor|trunc|nearest|_min|_max|sqrt|div_|rem_|promote|demote|convert|_v$)|"
    r"copy_v|const_v|keep_v|select_v|ret_v"
)
"""They call functions, or are too long or too rare to join."""
LONGEST = 3


def segments(path: Path) -> list[tuple[float, Row]]:
    """Rows of operations between labels, each with its weight."""
    found: list[tuple[float, Row]] = []
    listing, modules = (importlib.import_module(f"pywasm_ref._fastcore.{name}") for name in ("listing", "modules"))
    for operations in listing.listing(modules.Module(path.read_bytes())):
        labels = {target for _, _, targets in operations for target in targets}
        loops = {target: at for at, _, targets in operations for target in targets if target <= at}
        row: list[str] = []
        weight = 1.0
        for at, name, _ in operations:
            own = name.partition("__")[0]
            if row and (at in labels or ALONE.match(own)):
                found.append((weight, tuple(row)))
                row = []
            if ALONE.match(own) and not own.startswith("br_table"):
                continue
            if not row:
                weight = 8.0 ** min(4, sum(start <= at <= end for start, end in loops.items()))
            row.append(own)
            if LAST.match(own):
                found.append((weight, tuple(row)))
                row = []
    total = sum(weight * len(row) for weight, row in found) or 1
    return [(weight / total, row) for weight, row in found if len(row) > 1]


def most_frequent(rows: dict[tuple[Row, ...], float]) -> tuple[Row, Row] | None:
    pairs: dict[tuple[Row, Row], float] = defaultdict(float)
    for row, weight in rows.items():
        for left, right in itertools.pairwise(row):
            if len(left) + len(right) <= LONGEST:
                pairs[left, right] += weight
    return max(pairs, key=lambda pair: (pairs[pair], pair)) if pairs else None


def with_pair(row: tuple[Row, ...], left: Row, right: Row) -> tuple[Row, ...]:
    """The same row with each such pair as one."""
    out: list[Row] = []
    for part in row:
        if out and part == right and out[-1] == left:
            out[-1] = left + right
        else:
            out.append(part)
    return tuple(out)


def choose(found: list[tuple[float, Row]], wanted: int) -> list[Row]:
    """As many rows as wanted, if there are so many, by joining pairs."""
    rows: dict[tuple[Row, ...], float] = defaultdict(float)
    for weight, names in found:
        rows[tuple((name,) for name in names)] += weight
    chosen: list[Row] = []
    while len(chosen) < wanted and (pair := most_frequent(rows)):
        chosen.append(pair[0] + pair[1])
        after: dict[tuple[Row, ...], float] = defaultdict(float)
        for row, weight in rows.items():
            after[with_pair(row, *pair)] += weight
        rows = after
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose superinstructions.")
    parser.add_argument("modules", nargs="+", type=Path)
    parser.add_argument("--rows", type=int, default=500, help="so many at most (default 500)")
    options = parser.parse_args()
    found = [pair for path in options.modules for pair in segments(path)]
    saved = used(found, choose(found, 2 * options.rows))
    rows = sorted((row for row in saved if row), key=lambda row: (-saved[row], row))[: options.rows]
    part = sum(saved[row] for row in rows) / saved[()]
    print(f"# Superinstructions, the most useful first; made by benchmarks/corpus/choose.py. They save {part:.0%} of its dispatches.")
    print("\n".join(" ".join(row) for row in rows))


if __name__ == "__main__":
    main()
