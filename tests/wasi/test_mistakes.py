"""Mistakes of whoever lends: each is told in words about what was written."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from pywasm_ref import wasi
from pywasm_ref.capabilities import Policy
from pywasm_ref.capabilities.streams import as_input
from pywasm_ref.cli import main
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.wasi.abi import Errno
from tests.wasi.support import BUFFER, RESULT, Caller

EMPTY = '(module (memory (export "memory") 1) (func (export "_start")))'
LIBRARY = """(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
  (memory (export "memory") 1) (func (export "_initialize")))"""


@pytest.mark.parametrize(
    ("lent", "words"),
    [
        ({"args": "hi.txt"}, "args is a list of strings, not 'hi.txt'"),
        ({"args": [1]}, "an argument is a string, not 1"),
        ({"env": ["A=B"]}, "env is a mapping of names to values"),
        ({"env": {"A": 1}}, "a variable of env is a string with a name, not 'A': 1"),
        ({"dirs": ["x"]}, "dirs is a mapping of the guest's paths to directories"),
        ({"dirs": {3: {}}}, "dirs is a mapping of the guest's paths to directories"),
        ({"dirs": {"/": None}}, "a directory is a path, a mapping of names to contents, or a tree"),
    ],
)
def test_the_parameter_that_is_wrong_is_named(lent: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words.replace("(", r"\(")):
        wasi.run(EMPTY, **lent)


def test_no_variable_has_a_sign_of_equality_in_its_name() -> None:
    with pytest.raises(ValueError, match="no variable can be called 'A=B'"):
        wasi.run(EMPTY, env={"A=B": "1"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("args = " + "[" * 5000, "nested too deeply"),
        ('args = "x"', "args cannot be 'x'; it is a list of strings"),
        ("streams = true", 'it is a list of "stdin"'),
        ("env = ['A=B']", "it is a table of strings, as [env]"),
        ("[dir]\nguest = '/'", "[[dir]]"),
        ("[[dir]]\nguest = '/'\nmode = 'read'", "host is missing, the path of this machine to lend as /"),
        ("[[dir]]\nguest = '/'\nhost = \"a\\u0000b\"", "host cannot be 'a\\x00b'"),
        ("[[dir]]\nguest = ''\nhost = 'a'", "guest cannot be ''"),
    ],
)
def test_what_a_policy_should_have_said_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words are looked at below)
        Policy.from_toml(text)
    assert words in str(raised.value)


def test_what_a_function_gives_after_it_was_taken_back_is_refused(engine: Engine) -> None:
    asked = threading.Event()

    def slowly(n: int) -> bytes:
        asked.set()
        time.sleep(0.2)
        return b"secret"

    with Caller(engine, {}, stdin=as_input(slowly)) as caller:

        def take_back() -> None:
            asked.wait()
            caller.wasi.revoke("stdin")

        taken = threading.Thread(target=take_back)
        taken.start()
        assert caller.call("fd_read", 0, *caller.iovs((BUFFER, 6)), RESULT) is Errno.NOTCAPABLE
        taken.join()


def test_a_library_is_told_from_a_program(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.wat").write_text(LIBRARY)
    assert main(["run", os.fspath(tmp_path / "x.wat"), "--", "arg"]) == 0
    assert "name a function with --invoke" in capsys.readouterr().err


def test_a_connection_that_is_not_allowed_says_how(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.wat").write_text(LIBRARY)
    assert main(["run", os.fspath(tmp_path / "x.wat"), "--connect", "127.0.0.1:1"]) == 2
    assert "--connect 127.0.0.1:1 is not allowed; --allow-net 127.0.0.1:1 or" in capsys.readouterr().err
