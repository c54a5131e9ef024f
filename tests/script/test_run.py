"""Running scripts: what passes, what fails, and with which words."""

import pytest

from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_3, Feature
from pywasm_ref.script.report import FileReport
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source

REFERENCES = """
(module
  (type $s (struct (field i32)))
  (type $a (array i8))
  (tag $e)
  (elem declare func $f)
  (func $f (export "func") (result funcref) (ref.func $f))
  (func (export "struct") (result anyref) (struct.new $s (i32.const 1)))
  (func (export "array") (result anyref) (array.new_default $a (i32.const 1)))
  (func (export "i31") (result anyref) (ref.i31 (i32.const 1)))
  (func (export "null") (result anyref) (ref.null none))
  (func (export "exn") (result exnref) (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e)) (unreachable)))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "inside") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "host") (param anyref) (result anyref) (local.get 0)))
"""


@pytest.fixture
def run(engine: str) -> "Run":
    return Run(engine)


class Run:
    """Scripts run by one engine."""

    def __init__(self, engine: str) -> None:
        self.engine = selection.engine(engine)

    def __call__(self, text: str, *features: Feature) -> FileReport:
        return run_script(Source("test.wast", text), Runner(self.engine, WASM_3 | set(features)))

    def messages(self, text: str) -> list[str]:
        return [failure.message for failure in self(text).failures]


def test_commands_are_counted_and_failures_have_their_place(run: Run) -> None:
    report = run('(module (func (export "f")))\n(assert_return (invoke "f"))\n  (assert_return (invoke "g"))\n(assert_return (invoke "f"))')
    assert (report.passed, report.failed, report.skipped) == (3, 1, 0)
    assert report.lines() == ['test.wast:3: undefined export "g"']
    assert report.failures[0].column == 3


@pytest.mark.parametrize(
    ("export", "good", "bad"),
    [
        ("func", ["ref.func"], ["ref.extern", "ref.null", "ref.struct", "ref.any"]),
        ("struct", ["ref.struct", "ref.eq", "ref.any", "ref"], ["ref.array", "ref.i31", "ref.null", "ref.func"]),
        ("array", ["ref.array", "ref.eq", "ref.any"], ["ref.struct", "ref.i31"]),
        ("i31", ["ref.i31", "ref.eq", "ref.any"], ["ref.struct", "ref.extern"]),
        ("null", ["ref.null", "ref.null none", "ref.null $t"], ["ref.any", "ref", "ref.i31"]),
        ("exn", ["ref.exn"], ["ref.any", "ref.null exn"]),
    ],
)
def test_each_reference_is_told_from_the_others(run: Run, export: str, good: list[str], bad: list[str]) -> None:
    for pattern in good:
        assert run(f'{REFERENCES} (assert_return (invoke "{export}") ({pattern}))').failed == 0, pattern
    for pattern in bad:
        assert run(f'{REFERENCES} (assert_return (invoke "{export}") ({pattern}))').failed == 1, pattern


def test_references_of_the_host_keep_their_number(run: Run) -> None:
    report = run(
        f"""{REFERENCES}
        (assert_return (invoke "same" (ref.extern 3)) (ref.extern 3))
        (assert_return (invoke "same" (ref.extern 3)) (ref.extern))
        (assert_return (invoke "same" (ref.extern 3)) (ref.extern 4))
        (assert_return (invoke "inside" (ref.extern 3)) (ref.host 3))
        (assert_return (invoke "host" (ref.host 5)) (ref.host 5))
        (assert_return (invoke "host" (ref.host 5)) (ref.host 6))
        (assert_return (invoke "host" (ref.host 5)) (ref.null))"""
    )
    assert [failure.message for failure in report.failures] == [
        "expected (ref.extern 4), got (ref.extern 3)",
        "expected (ref.host 6), got (ref.host 5)",
        "expected (ref.null), got (ref.host 5)",
    ]


def test_a_refusal_with_other_words_is_a_failure(run: Run) -> None:
    (message,) = run.messages('(assert_invalid (module (func (drop))) "unknown function")')
    assert message.startswith("expected invalid 'unknown function', got 'type mismatch")


def test_a_refusal_at_the_wrong_time_is_a_failure(run: Run) -> None:
    (message,) = run.messages('(assert_malformed (module quote "(func (drop))") "type mismatch")')
    assert message == "expected malformed 'type mismatch', and nothing went wrong"


def test_longer_words_than_the_message_do_not_match_it(run: Run) -> None:
    assert run('(module (func (export "f") unreachable)) (assert_trap (invoke "f") "unreachable executed")').failed == 1
    assert run('(module (func (export "f") unreachable)) (assert_trap (invoke "f") "unreach")').failed == 0


def test_after_a_module_that_fails_there_is_no_latest_instance(run: Run) -> None:
    assert run.messages('(module (func (export "f"))) (module (func (drop))) (invoke "f")')[1] == "no module instance is defined"


def test_a_module_may_be_instantiated_many_times_each_with_its_own_state(run: Run) -> None:
    script = """
    (module definition $m (global $g (export "g") (mut i32) (i32.const 0))
      (func (export "up") (global.set $g (i32.add (global.get $g) (i32.const 1)))))
    (module instance $a $m)
    (module instance $b $m)
    (invoke $a "up")
    (assert_return (get $a "g") (i32.const 1))
    (assert_return (get $b "g") (i32.const 0))"""
    assert run(script).failed == 0


def test_registered_instances_can_be_imported(run: Run) -> None:
    script = """
    (module $a (func (export "f") (result i32) (i32.const 7)))
    (register "a" $a)
    (module (import "a" "f" (func $f (result i32))) (func (export "g") (result i32) (call $f)))
    (assert_return (invoke "g") (i32.const 7))
    (assert_unlinkable (module (import "a" "f" (func))) "incompatible import type")
    (assert_unlinkable (module (import "b" "f" (func))) "unknown import")"""
    assert run(script).failed == 0


def test_the_host_module_has_what_scripts_rely_on(run: Run) -> None:
    script = """
    (module
      (import "spectest" "print_i32" (func $print (param i32)))
      (import "spectest" "global_f64" (global $f f64))
      (import "spectest" "memory" (memory 1 2))
      (import "spectest" "table" (table 10 20 funcref))
      (import "spectest" "table64" (table i64 10 20 funcref))
      (func (export "f") (result f64) (call $print (i32.const 1)) (global.get $f)))
    (assert_return (invoke "f") (f64.const 666.6))"""
    assert run(script).failed == 0
    shared = '(module (import "spectest" "shared_memory" (memory 1 2 shared)))'
    assert run(shared, Feature.THREADS).failed == 0


def test_an_exception_is_asserted_as_such(run: Run) -> None:
    script = """
    (module (tag $e) (func (export "f") (throw $e)) (func (export "g")))
    (assert_exception (invoke "f"))
    (assert_exception (invoke "g"))
    (assert_trap (invoke "f") "unreachable")
    (invoke "f")"""
    assert run.messages(script) == [
        "expected exception, and nothing went wrong",
        "expected trap 'unreachable', got exception: unhandled exception",
        "exception: unhandled exception",
    ]


def test_the_arguments_of_an_invocation_are_checked(run: Run) -> None:
    module = '(module (func (export "f") (param i32)) (memory (export "m") 1))'
    assert run.messages(
        f'{module} (invoke "f") (invoke "f" (i64.const 1)) (invoke "m") (get "f") (invoke $x "f") (invoke "f" (ref.null extern))'
    ) == [
        "wrong number of arguments",
        "wrong type of argument",
        'export "m" is not a function',
        'export "f" is not a global',
        "unknown module instance $x",
        "wrong type of argument",
    ]


def test_an_engine_that_crashes_fails_the_command_and_not_the_script(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(run.engine, WASM_3)
    monkeypatch.setattr(runner, "instantiate", lambda module: 1 // 0)
    report = run_script(Source("test.wast", "(module) (module definition)"), runner)
    assert report.lines() == ["test.wast:1: crash: ZeroDivisionError: integer division or modulo by zero"]
    assert report.passed == 1


def test_a_name_stands_for_one_module(run: Run) -> None:
    assert run.messages("(module $m) (module $m)") == ["module $m is already defined"]


def test_an_error_in_a_module_of_the_script_tells_its_place(run: Run) -> None:
    assert run("(module)\n(module\n  (func (drop)))").lines()[0].endswith("(at 3:10)")
