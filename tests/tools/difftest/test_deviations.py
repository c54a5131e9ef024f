"""What wasmtime cannot turn off is no difference; what it takes without a reason is one."""

from __future__ import annotations

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import WASM_3, features
from pywasm_ref.tools.difftest.compare import Difference
from pywasm_ref.tools.difftest.deviations import reason
from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome

DIFFERENCE = Difference("start", "reference", "wasmtime", "refused", "returned")


@pytest.mark.parametrize(
    ("body", "is_known"),
    [
        ("(drop (i64.extend16_s (i64.const 1)))", True),
        ("(drop (i32.trunc_sat_f32_s (f32.const 1)))", True),
        ("(drop (i8x16.splat (i32.const 1)))", False),
        ("(drop (ref.null func))", False),
    ],
)
def test_a_feature_that_is_always_on_is_known(body: str, is_known: bool) -> None:
    data = binary.encode(text.parse(f"(module (func {body}))", WASM_3))
    job = Job(data, features=features("1.0"), instantiate=False)
    assert bool(reason(job, DIFFERENCE, Answer(Outcome("returned")))) == is_known
    assert not reason(job, DIFFERENCE, Answer(Outcome("refused")))


def test_a_module_that_is_none_with_all_features_is_not_explained() -> None:
    data = binary.encode(text.parse("(module (func (drop (i64.extend16_s (i64.const 1)))))", WASM_3)) + b"\0"
    assert not reason(Job(data, features=features("1.0"), instantiate=False), DIFFERENCE, Answer(Outcome("returned")))
