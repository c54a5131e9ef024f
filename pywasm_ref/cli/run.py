"""`run`: instantiate a module and call one of its functions."""

from __future__ import annotations

import argparse
import sys

from pywasm_ref.cli.calls import add_invoke, call, instantiated, invocation, stopping_after, store_for
from pywasm_ref.cli.inputs import read_module
from pywasm_ref.cli.options import add_engine, add_features, add_file, add_limits

START = "_start"

NAME = "run"
HELP = "run a module, binary or text: its start function, and an export"
EPILOG = """\
With --invoke, the export is called and its results are printed, one on a line.
Without, `_start` is called where the module exports it.

Arguments are read by the type of the parameter, as literals of the text format: 30, -1, 0xffff_ffff, 1.5e3, inf, nan:0x200000,
"i32x4 1 2 3 4" for a vector, null or (for externref) any number for a reference.

examples:
  pywasm-ref run fib.wat --invoke fib 30
  pywasm-ref run loop.wasm --fuel 1_000_000 --invoke main
  pywasm-ref run service.wasm --timeout 2.5 --max-memory 256
  echo '(module (func (export "pi") (result f64) (f64.const 3.14)))' | pywasm-ref run - --invoke pi
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_engine(parser)
    add_features(parser)
    add_limits(parser)
    add_invoke(parser)


def run(options: argparse.Namespace) -> int:
    wanted = invocation(options)
    source = read_module(options.file)
    store = store_for(options)
    with stopping_after(store, options.timeout):
        instance = instantiated(options, store, source)
        if wanted is not None:
            for line in call(store, instance, source, *wanted):
                print(line)
        elif START in instance.exports:
            call(store, instance, source, START)
        else:
            print("instantiated; name a function with --invoke to call it", file=sys.stderr)
    return 0
