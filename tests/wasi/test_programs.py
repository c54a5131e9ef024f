"""Programs from compilers and of others, with real input: what they print is the same on both engines."""

from __future__ import annotations

import contextlib
import importlib.util
import sqlite3
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import pywasm_ref as wasm
from pywasm_ref import wasi
from pywasm_ref.capabilities import HostTree, MemoryTree
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine

FOLDER = Path(__file__).parents[2] / "examples" / "wasi"
LENT = FOLDER / "lent"


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_wasi_examples", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = builder()


@pytest.fixture(scope="session")
def built() -> Callable[[str], Path]:
    """A program of this machine's tools; without them the test is skipped, with the line that says what is missing."""
    made: dict[str, Path | str] = {}

    def program(name: str) -> Path:
        if name not in made:
            try:
                made[name] = BUILD.PROGRAMS[name]()
            except BUILD.Missing as missing:
                made[name] = str(missing)
        found = made[name]
        if isinstance(found, str):
            pytest.skip(found)
        return found

    return program


def test_a_c_program_reads_what_is_lent(engine: Engine) -> None:
    result = wasi.run(FOLDER / "look.wasm", args=["greeting.txt", "../look.c"], dirs={"/": LENT}, capture=True, engine=engine)
    assert (result.exit_code, result.stdout) == (1, b"greeting.txt: Hello from a file that was lent.\n")
    assert result.stderr == b"../look.c: Capabilities insufficient\n"
    assert result.refusals[0].refused == "the path leads out of the directory: ../look.c"


def tour(program: Path, engine: Engine) -> tuple[wasi.Result, MemoryTree]:
    out = MemoryTree()
    result = wasi.run(
        program,
        args=["one", "two"],
        env={"NAME": "value"},
        dirs={"/data": HostTree(LENT, readonly=True), "/out": out},
        stdin="first line\nsecond line\n",
        capture=True,
        engine=engine,
    )
    return result, out


def test_a_rust_program_takes_its_tour(engine: Engine) -> None:
    result, out = tour(FOLDER / "tour_rs.wasm", engine)
    assert (result.exit_code, result.stderr) == (2, b"")
    assert result.stdout.decode().splitlines() == [
        'arguments ["one", "two"], NAME=value',
        '/data has ["greeting.txt"]',
        "Hello from a file that was lent.",
        "elsewhere: nothing",
        "FIRST LINE, SECOND LINE",
    ]
    assert out.read("rust.txt") == b"written by Rust\n"


@pytest.mark.slow
def test_a_go_program_takes_its_tour(engine: Engine, built: Callable[[str], Path]) -> None:
    result, out = tour(built("tour_go"), engine)
    assert (result.exit_code, result.stderr) == (2, b"")
    assert result.stdout.decode().splitlines() == [
        'arguments ["one" "two"], NAME=value',
        "/data has greeting.txt",
        "Hello from a file that was lent.",
        "elsewhere: nothing",
        "FIRST LINE, SECOND LINE",
    ]
    assert out.read("go.txt") == b"written by Go\n"


@pytest.mark.slow
def test_a_go_program_is_through_within_a_second(engine: Engine, built: Callable[[str], Path]) -> None:
    """Read, validated, run: in processor time, since other things may be busy here too."""
    if engine.name == "reference":
        pytest.skip("speed is the native engine's affair")
    program = built("tour_go")
    begin = time.process_time()
    tour(program, engine)
    assert time.process_time() - begin < 1


JAVASCRIPT = """
import * as std from 'qjs:std';
const lines = std.loadFile('/data/greeting.txt').trim().split(' ');
const out = std.open('/out/js.txt', 'w');
out.puts(lines.map(word => word.length).join('+') + '=' + lines.reduce((sum, word) => sum + word.length, 0));
out.close();
console.log(lines.reverse().join(' '), JSON.stringify({primes: [...Array(30).keys()].filter(n => n > 1 && ![...Array(n).keys()].some(d => d > 1 && n % d == 0))}));
"""


@pytest.mark.slow
def test_quickjs_runs_a_script(engine: Engine, built: Callable[[str], Path]) -> None:
    out = MemoryTree({"main.js": JAVASCRIPT})
    guest = wasi.Guest(built("quickjs"), dirs={"/data": HostTree(LENT, readonly=True), "/out": out}, capture=True, engine=engine)
    with guest.wasi:
        instance = guest.instantiate()

        def call(name: str, *args: int) -> int:
            results = functions.func_invoke(guest.store, instance.exports[name], args)  # type: ignore[arg-type]
            return int(results[0]) if results else 0

        def put(data: bytes) -> int:
            at = call("malloc", len(data))
            guest.store.mem_view(instance.exports["memory"])[at : at + len(data)] = data  # type: ignore[arg-type]
            return at

        call("_initialize")
        words = [put(word) for word in (b"qjs\0", b"--std\0", b"/out/main.js\0")]
        assert call("qjs_init_argv", len(words), put(struct.pack("<III", *words))) == 0
    said = guest.result().stdout.decode()
    assert said == 'lent. was that file a from Hello {"primes":[2,3,5,7,11,13,17,19,23,29]}\n'
    assert out.read("js.txt") == b"5+4+1+4+4+3+5=26"


SQL = """
create table numbers (n integer primary key, square integer);
with recursive count(n) as (select 1 union all select n + 1 from count where n < 200) insert into numbers select n, n * n from count;
create index by_square on numbers (square);
select count(*), sum(square), max(n) from numbers where square % 3 = 1;
update numbers set square = -square where n > 100;
select group_concat(n, ' ') from (select n from numbers order by square limit 5);
pragma integrity_check;
"""


COUNT = "select count(*) from numbers where square < 0"


@pytest.mark.slow
def test_the_shell_of_sqlite_keeps_a_database(engine: Engine, built: Callable[[str], Path], tmp_path: Path) -> None:
    program = wasm.Module(built("sqlite"), engine)
    args = ["-batch", "/db/test.db"]
    result = wasi.run(program, args=args, env={"HOME": "/db"}, dirs={"/db": tmp_path}, stdin=SQL, capture=True)
    assert (result.exit_code, result.stderr.decode()) == (0, "")
    assert result.stdout.decode().splitlines() == [f"134|{sum(n * n for n in range(201) if n % 3)}|200", "200 199 198 197 196", "ok"]
    again = wasi.run(program, args=[*args, COUNT], env={"HOME": "/"}, dirs={"/db": HostTree(tmp_path)}, capture=True)
    assert again.stdout == b"100\n"
    with contextlib.closing(sqlite3.connect(tmp_path / "test.db")) as database:
        found = database.execute("select sum(square) from numbers").fetchone()
    assert found == (sum(n * n for n in range(1, 101)) - sum(n * n for n in range(101, 201)),)
