"""`trace`: watch a call being reduced, step by step."""

from __future__ import annotations

import argparse
import sys

from pywasm_ref.cli.calls import add_invoke, call, instantiated, invocation, stopping_after, store_for
from pywasm_ref.cli.inputs import read_module
from pywasm_ref.cli.options import add_features, add_file, add_limits, count
from pywasm_ref.errors import Trap

NAME = "trace"
HELP = "show each reduction of a call as the specification writes it, with the rule's name"
EPILOG = """\
Each step is a line: the names of the rules that are applied, and the configuration that they lead to.
What is far from the next step is cut to an ellipsis.
The reference engine runs; other engines have no rules to show.

examples:
  pywasm-ref trace fib.wat --invoke fib 3
  pywasm-ref trace fib.wat --limit 100 --invoke fib 30    the first 100 steps, then the result
  pywasm-ref trace start.wasm --start                     the start function too
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--limit", type=count, metavar="N", help="show no more than N steps; the rest runs unseen")
    parser.add_argument("--start", action="store_true", help="also show what happens at instantiation (implied without --invoke)")
    add_features(parser)
    add_limits(parser)
    add_invoke(parser)
    parser.set_defaults(engine="reference")


def run(options: argparse.Namespace) -> int:
    from pywasm_ref.tools.trace import Tracer

    wanted = invocation(options)
    source = read_module(options.file)
    store = store_for(options)
    tracer = Tracer(sys.stdout, options.limit)
    ending = ""
    try:
        with stopping_after(store.interrupt, options.timeout):
            store.observe(tracer if options.start or wanted is None else None)
            instance = instantiated(options, store, source)
            store.observe(tracer)
            lines = call(store, instance, source, *wanted) if wanted else []
    except Trap:
        ending = "trap"
        raise
    finally:
        tracer.close(ending)
    if wanted is None:
        print("instantiated; name a function with --invoke to trace a call of it", file=sys.stderr)
    print(*lines, sep="\n", end="\n" if lines else "")
    return 0
