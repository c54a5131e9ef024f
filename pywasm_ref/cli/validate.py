"""`validate`: say whether modules are valid."""

from __future__ import annotations

import argparse
import sys

from pywasm_ref import validation
from pywasm_ref.cli.errors import errors_in, show
from pywasm_ref.cli.inputs import module_in, read_module
from pywasm_ref.cli.options import add_features, chosen_features
from pywasm_ref.errors import WasmError
from pywasm_ref.features import Features

NAME = "validate"
HELP = "check modules, binary or text, and say what is wrong with them"
EPILOG = """\
Nothing is printed for a valid module. The exit status is 1 when one is malformed or invalid.

examples:
  pywasm-ref validate fib.wasm fib.wat
  pywasm-ref validate old.wasm --features 1.0      would the first release have taken it?
  pywasm-ref validate threads.wat --features threads
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a module, binary (.wasm) or text (.wat); - is standard input")
    parser.add_argument("-v", "--verbose", action="store_true", help="also name the modules that are valid")
    add_features(parser)


def run(options: argparse.Namespace) -> int:
    status = 0
    for path in options.files:
        try:
            check(path, chosen_features(options))
        except (WasmError, OSError) as error:
            status = max(status, show(error, sys.stderr))
        else:
            if options.verbose:
                print(f"{path}: valid")
    return status


def check(path: str, features: Features) -> None:
    source = read_module(path)
    module = module_in(source, features)
    with errors_in(source):
        validation.validate(module, features)
