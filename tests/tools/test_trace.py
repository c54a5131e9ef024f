"""Traces; their look is in the golden cases."""

import io
from typing import cast

from pywasm_ref.embedding import functions, selection
from pywasm_ref.embedding.engine import Func
from pywasm_ref.tools.trace import Tracer

FACTORIAL = """
(module (func $fac (export "fac") (param i64) (result i64)
  (if (result i64) (i64.eqz (local.get 0))
    (then (i64.const 1))
    (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1))))))))
"""


def trace(n: int, limit: int | None = None) -> list[str]:
    engine = selection.engine("reference")
    store = functions.store_init(engine)
    instance = functions.module_instantiate(store, functions.module_parse(engine, FACTORIAL), ())
    out = io.StringIO()
    tracer = Tracer(out, limit)
    store.observe(tracer)
    fac = cast("Func", functions.instance_export(instance, "fac"))
    assert functions.func_invoke(store, fac, [n])[0] == [1, 1, 2, 6][n]
    tracer.close("")
    return out.getvalue().splitlines()


def test_every_step_has_its_rule_and_its_configuration() -> None:
    lines = trace(1)
    assert [line.split()[1] for line in lines if "call_ref-func" in line] == ["Step_read/call_ref-func"] * 2
    assert sum("Step_pure/testop" in line for line in lines) == 2
    assert all(line.startswith("↪ Step") for line in lines)


def test_a_limit_cuts_the_trace_and_not_the_run() -> None:
    lines = trace(3, limit=4)
    assert len([line for line in lines if line.startswith("↪")]) <= 8
    assert lines[-1].startswith("… and ")


def test_a_long_run_stays_a_line_of_bounded_length() -> None:
    assert max(map(len, trace(3))) < 400
