"""Reading commands."""

import pytest

from pywasm_ref.script import commands as cmd
from pywasm_ref.script.parse import parse
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType


def commands(text: str) -> list[cmd.Command]:
    return list(parse(Source("test.wast", text)))


def one(text: str) -> cmd.Command:
    (command,) = commands(text)
    return command


def results(text: str) -> tuple[cmd.Pattern, ...]:
    command = one(f'(assert_return (invoke "f") {text})')
    assert isinstance(command, cmd.AssertReturn), command
    return command.results


def test_a_module_is_defined_and_instantiated_under_its_name() -> None:
    command = one("(module $m (func))")
    assert isinstance(command, cmd.DefineModule)
    assert (command.name, command.instantiate) == ("m", True)
    assert isinstance(command.module, cmd.Textual)


def test_a_definition_is_not_instantiated() -> None:
    command = one("(module definition $m (func))")
    assert isinstance(command, cmd.DefineModule)
    assert (command.name, command.instantiate) == ("m", False)


def test_the_strings_of_a_binary_module_are_joined() -> None:
    command = one(r'(module binary "\00asm" "\01\00" ;; version' + "\n" + r'"\00\00")')
    assert isinstance(command, cmd.DefineModule)
    assert isinstance(command.module, cmd.Encoded)
    assert command.module.data == b"\0asm\1\0\0\0"


def test_a_quoted_module_keeps_bytes_that_are_not_utf8() -> None:
    command = one(r'(assert_malformed (module quote "(func" "\ff)") "malformed UTF-8 encoding")')
    assert isinstance(command, cmd.AssertMalformed)
    assert isinstance(command.module, cmd.Quoted)
    assert command.module.text == b"(func\xff)"


@pytest.mark.parametrize(
    ("text", "name", "module"),
    [("(module instance $i $m)", "i", "m"), ("(module instance $m)", None, "m"), ("(module instance)", None, None)],
)
def test_an_instance_names_itself_first_and_its_module_last(text: str, name: str | None, module: str | None) -> None:
    command = one(text)
    assert isinstance(command, cmd.InstantiateModule)
    assert (command.name, command.module.name) == (name, module)


def test_fields_without_a_module_around_them_are_one_module_and_count_one_by_one() -> None:
    command = one('(func) (memory 0) (func (export "f"))')
    assert isinstance(command, cmd.DefineModule)
    assert command.forms == 3


def test_register_and_actions_may_name_an_instance() -> None:
    register, invoke, get = commands('(register "m" $a) (invoke $b "f" (i32.const -1)) (get "g")')
    assert (register.name, register.instance) == ("m", "a") if isinstance(register, cmd.Register) else False
    assert isinstance(invoke, cmd.Act)
    assert invoke.action == cmd.Invoke("b", "f", (cmd.Number(I32, 2**32 - 1),))
    assert isinstance(get, cmd.Act)
    assert get.action == cmd.Get(None, "g")


def test_numbers_are_read_to_the_bit() -> None:
    assert results("(i64.const 0x8000_0000_0000_0000) (f32.const -0x1p-149) (f64.const nan:0x1)") == (
        cmd.Number(I64, 2**63),
        cmd.Number(F32, 0x8000_0001),
        cmd.Number(F64, 0x7FF0_0000_0000_0001),
    )


def test_classes_of_nans_stand_for_a_number_or_for_a_lane() -> None:
    assert results("(f32.const nan:canonical) (v128.const f64x2 1 nan:arithmetic)") == (
        cmd.Lanes(F32, 32, (cmd.Nan.CANONICAL,)),
        cmd.Lanes(V128, 64, (0x3FF0_0000_0000_0000, cmd.Nan.ARITHMETIC)),
    )


def test_lane_zero_of_a_vector_is_lowest() -> None:
    assert results("(v128.const i16x8 1 2 3 4 5 6 7 -1)") == (cmd.Number(V128, 0xFFFF_0007_0006_0005_0004_0003_0002_0001),)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("(ref.null)", cmd.Null(None)),
        ("(ref.null func)", cmd.Null(AbsHeapType.FUNC)),
        ("(ref.null $t)", cmd.Null(None)),
        ("(ref.extern 7)", cmd.Extern(7)),
        ("(ref.extern)", cmd.RefOf(AbsHeapType.EXTERN)),
        ("(ref.host 7)", cmd.Host(7)),
        ("(ref)", cmd.RefOf(AbsHeapType.ANY)),
        ("(ref.any)", cmd.RefOf(AbsHeapType.ANY)),
        ("(ref.struct)", cmd.RefOf(AbsHeapType.STRUCT)),
        ("(ref.exn)", cmd.RefOf(AbsHeapType.EXN)),
        ("(either (i32.const 1) (ref.i31))", cmd.Either((cmd.Number(I32, 1), cmd.RefOf(AbsHeapType.I31)))),
    ],
)
def test_every_pattern_of_references_is_read(text: str, pattern: cmd.Pattern) -> None:
    assert results(text) == (pattern,)


def test_a_trap_may_be_that_of_an_action_or_of_an_instantiation() -> None:
    action, module, instance = commands(
        '(assert_trap (invoke "f") "unreachable") (assert_trap (module (func $f unreachable) (start $f)) "unreachable")'
        '(assert_trap (module instance $m) "unreachable")'
    )
    subjects = [command.subject for command in (action, module, instance) if isinstance(command, cmd.AssertTrap)]
    assert [type(subject) for subject in subjects] == [cmd.Invoke, cmd.Textual, cmd.ModuleName]


@pytest.mark.parametrize(
    "text",
    [
        "(frobnicate)",
        "word",
        ")",
        "(module",
        '(invoke "f" (f32.const nan:canonical))',
        '(invoke "f" (ref.func))',
        '(invoke "\\ff")',
        '(assert_return (invoke "f") (v128.const i32x4 1 2 3))',
        '(assert_return (invoke "f") (v128.const i32x4 1 2 3 nan:canonical))',
        '(assert_return (invoke "f") (i32.const nan:canonical))',
        '(assert_return (invoke "f") (i32.const 0x1_0000_0000))',
        '(assert_trap (invoke "f"))',
        '(register "m") (register',
        "(invoke $x)",
        '(get "g" "h")',
        '(assert_invalid (module instance $m) "…")',
        "()",
        "(",
    ],
)
def test_a_form_that_cannot_be_read_is_a_command_that_fails(text: str) -> None:
    assert isinstance(commands(text)[-1], cmd.Unreadable)


def test_commands_after_one_that_cannot_be_read_are_read() -> None:
    assert [type(command) for command in commands('(oops) (get "g")')] == [cmd.Unreadable, cmd.Act]


def test_deeply_nested_alternatives_are_refused_and_do_not_exhaust_the_stack() -> None:
    deep = 100_000
    command = one('(assert_return (invoke "f") ' + "(either " * deep + "(oops)" + ")" * deep + ")")
    assert isinstance(command, cmd.Unreadable)


@pytest.mark.parametrize("word", ["input", "output", "script", "thread", "wait"])
def test_a_command_that_is_left_out_is_named_with_the_reason(word: str) -> None:
    command = one(f'({word} "x")')
    assert isinstance(command, cmd.Unreadable)
    assert command.error.message.startswith(f"unknown command {word}: ")
