"""What the command lines of several commands have in common."""

from __future__ import annotations

import argparse

from pywasm_ref.features import RELEASES, WASM_3, Feature, Features, features


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the examples."""


def add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a module, binary (.wasm) or text (.wat); - is standard input")


def add_features(parser: argparse.ArgumentParser, default: str = "3.0") -> None:
    known = ", ".join(f.value for f in Feature)
    parser.add_argument(
        "--features",
        metavar="NAMES",
        type=named_features,
        default=None,
        help=f"what is on, separated by commas: a release ({', '.join(RELEASES)}), and features, which are added to 3.0 or to the release "
        f"that is named: {known} (default: {default})",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine", choices=("reference", "fast", "auto"), default="auto", help="which engine runs the code (default: auto, the fastest)"
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument("--fuel", type=count, metavar="N", help="stop after N instructions")
    group.add_argument("--call-depth", type=count, metavar="N", help="at most N calls that have not returned")
    group.add_argument("--max-memory", type=count, metavar="PAGES", help="at most so many pages of 64 KiB for all memories together")
    group.add_argument("--max-table", type=count, metavar="N", help="at most N entries in all tables together")
    group.add_argument("--max-heap", type=count, metavar="N", help="at most N structures and arrays, large ones counted by their elements")
    group.add_argument("--timeout", type=seconds, metavar="SECONDS", help="stop the guest after this time")


def chosen_features(options: argparse.Namespace) -> Features:
    chosen: Features | None = options.features
    return WASM_3 if chosen is None else chosen


def named_features(text: str) -> Features:
    """The features in a list such as `2.0,threads`."""
    try:
        return features(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """A number that is not negative; `_` may separate digits."""
    try:
        found = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, such as 1_000_000") from None
    if found < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return found


def number(text: str) -> int:
    """Any whole number."""
    return count(text.removeprefix("-")) * (-1 if text.startswith("-") else 1)


def positive(text: str) -> int:
    """A number of at least one."""
    found = count(text)
    if found == 0:
        raise argparse.ArgumentTypeError("0 is too few")
    return found


def seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < found < threading_limit():
        raise argparse.ArgumentTypeError(f"{text} is not a time to wait: more than 0 seconds, less than {threading_limit():.0f}")
    return found


def threading_limit() -> float:
    """The longest time that can be waited for on this platform."""
    from threading import TIMEOUT_MAX

    return TIMEOUT_MAX
