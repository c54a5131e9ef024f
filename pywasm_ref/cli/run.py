"""`run`: instantiate a module and call one of its functions; a program for WASI with what it is lent."""

from __future__ import annotations

import argparse
import sys

from pywasm_ref.cli import wasi
from pywasm_ref.cli.calls import add_invoke, call, instantiated, invocation, stopping_after, store_for
from pywasm_ref.cli.inputs import engine_module_in, read_module
from pywasm_ref.cli.options import add_engine, add_features, add_file, add_limits, chosen_features
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Instance, Store
from pywasm_ref.source import Source

START = "_start"

NAME = "run"
HELP = "run a module, binary or text: its start function, and an export"
EPILOG = """\
With --invoke, the export is called and its results are printed, one on a line.
Without, `_start` is called where the module exports it.

A program for WASI gets the arguments behind `--`, and of this machine only what is lent to it, besides clocks, random bytes and the
streams of this command. What it was refused is told at its end, with the option that would have lent it. Its exit code is that of the
command. Else it is 134 for a trap, 124 for a limit or the timeout, 1 for a module that is no good, 2 for a wrong command line, 130 for
Ctrl-C, and 141 for output that nobody reads any more.

Arguments of --invoke are read by the type of the parameter, as literals of the text format: 30, -1, 0xffff_ffff, 1.5e3, inf,
nan:0x200000, "i32x4 1 2 3 4" for a vector. A reference is null, or a whole number: for i31ref, eqref and anyref
an i31, for externref an object of the host.

examples:
  pywasm-ref run fib.wat --invoke fib 30
  pywasm-ref run loop.wasm --fuel 1_000_000 --invoke main
  pywasm-ref run service.wasm --timeout 2.5 --max-memory 256
  pywasm-ref run grep.wasm --dir texts::/texts:ro -- needle /texts/haystack.txt
  pywasm-ref run build.wasm --mapdir project::/src --env MODE=fast --seed 1 --fake-clock
  pywasm-ref run program.wasm --policy policy.toml --audit audit.jsonl
  echo '(module (func (export "pi") (result f64) (f64.const 3.14)))' | pywasm-ref run - --invoke pi
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_engine(parser)
    add_features(parser)
    add_limits(parser)
    wasi.add_lent(parser)
    add_invoke(parser)


def run(options: argparse.Namespace) -> int:
    wanted = invocation(options)
    policy = wasi.policy(options)
    if options.explain:
        print(wasi.explained(options, policy))
        return 0
    source = read_module(options.file)
    store = store_for(wasi.with_limits_of(policy, options))
    module = engine_module_in(source, store.engine, chosen_features(options))
    if wasi.wants_wasi(functions.module_imports(module)):
        return wasi.run(options, policy, store, module, source, wanted)
    with stopping_after(store.interrupt, options.timeout):
        instance = instantiated(options, store, source)
        return started(store, instance, source, wanted)


def started(store: Store, instance: Instance, source: Source, wanted: tuple[str, list[str]] | None) -> int:
    """Call what is to be called."""
    if wanted is not None:
        for line in call(store, instance, source, *wanted):
            print(line)
    elif START in instance.exports:
        call(store, instance, source, START)
    else:
        print("instantiated; name a function with --invoke to call it", file=sys.stderr)
    return 0
