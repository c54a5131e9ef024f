"""`inspect`: what a module holds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from pywasm_ref import binary, validation
from pywasm_ref.cli.inputs import module_in, read_module
from pywasm_ref.cli.options import add_features, add_file, chosen_features
from pywasm_ref.cli.terminal import Style
from pywasm_ref.errors import WasmError, printable
from pywasm_ref.tools.inspection import Inspection, inspect

NAME = "inspect"
HELP = "show sections, imports, exports, functions, sizes and the features that a module uses"
EPILOG = """\
Offsets and sizes are of the binary; a text is turned into one first. The module need not be valid, and it is said when it is not.

examples:
  pywasm-ref inspect fib.wasm
  pywasm-ref inspect big.wasm --json | jq '.functions | sort_by(-.size) | .[:10]'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    add_features(parser, default="all")


def run(options: argparse.Namespace) -> int:
    from pywasm_ref.features import ALL

    source = read_module(options.file)
    features = ALL if options.features is None else chosen_features(options)
    module = module_in(source, features)
    data = source.data if isinstance(source.data, bytes) else binary.encode(module, names=True)
    if not isinstance(source.data, bytes):
        module = binary.decode(data, features)
    try:
        validation.validate(module, features)
        verdict = "valid"
    except WasmError as error:
        verdict = f"invalid: {error.message}"
    found = inspect(data, module)
    if options.json:
        print(json.dumps({"file": source.name, "verdict": verdict, **asdict(found)}, indent=2))
    else:
        print(f"{Style(sys.stdout).strong(source.name)}: {found.size} bytes, {verdict}")
        for line in described(found, Style(sys.stdout)):
            print(line)
    return 0


def described(found: Inspection, style: Style) -> Iterable[str]:
    """A table for each part that is not empty."""
    parts: list[tuple[str, list[Sequence[str]]]] = [
        ("sections", [(f"{s.offset:#010x}", str(s.size), s.name) for s in found.sections]),
        ("imports", [(f"{i.module}.{i.name}", i.type) for i in found.imports]),
        ("exports", [(e.name, str(e.index), e.type) for e in found.exports]),
        ("functions", [(str(f.index), f"{f.offset:#010x}", str(f.size), f.name or "-", f.type) for f in found.functions]),
    ]
    for title, rows in parts:
        if rows:
            yield style.strong(f"{title} ({len(rows)})")
            yield from columns(rows)
    yield style.strong("features")
    yield f"  {', '.join(found.features)}"


def columns(rows: list[Sequence[str]]) -> Iterable[str]:
    """Rows with their columns one under the other; names of a module may hold anything."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [cell.rjust(width) if cell.isdigit() else cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()
