"""Engines that know nothing of us, and the command line as an engine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_1
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.difftest.compare import compare
from pywasm_ref.tools.difftest.crew import crew
from pywasm_ref.tools.difftest.finds import reduced
from pywasm_ref.tools.difftest.generate import PROFILES, portable, seeded
from pywasm_ref.tools.difftest.jobs import Call, Job
from pywasm_ref.tools.difftest.peers import Peer, kind, peer
from pywasm_ref.tools.difftest.settings import engines_named
from pywasm_ref.tools.difftest.shards import Finding, Shard, run_shard
from pywasm_ref.tools.difftest.single import rows

DOCUMENT = Path(__file__).parents[3] / "docs" / "difftest.md"


ADD = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'


def here(name: str) -> Peer:
    """A peer, if it is installed."""
    try:
        return peer(name)
    except ImportError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", ["node", "pywasm3"])
def test_portable_modules_do_the_same_on_engines_of_others(name: str) -> None:
    other, reference = here(name), peer("reference")
    for seed in range(8):
        job = seeded(seed, portable(PROFILES["1.0"])).job()
        try:
            answers = {"reference": reference.run(job), name: other.run(job)}
        except NotImplementedError:
            continue
        assert not compare(job, answers, {each: kind(each).ability for each in answers})


def test_a_command_line_is_an_engine(tmp_path: Path) -> None:
    source = (
        '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))) (func (export "f") unreachable))'
    )
    job = Job(binary.encode(text.parse(source)), (Call("add", (2, 2**32 - 5)), Call("f", ())), WASM_1)
    name = f"cmd:{sys.executable} -m pywasm_ref run {{file}} --invoke {{name}} {{args}}"
    answer = peer(name).run(job)
    assert [outcome.kind for outcome in answer.calls] == ["returned", "trap"]
    assert answer.calls[0].values == ("i32:0xfffffffd",)


def test_arguments_stand_where_the_template_has_them(tmp_path: Path) -> None:
    program = tmp_path / "echo.py"
    program.write_text("import sys\nprint(len(sys.argv), sys.argv[1] == '2', *sys.argv[3].split('='))\n")
    job = Job(binary.encode(text.parse(ADD)), (Call("add", (2, 3)),), WASM_1)
    printed = peer(f"cmd:{sys.executable} {program} {{args}} '{{name}}=7' {{file}}").run(job).calls[0]
    assert printed.values == ("i32:0x7",)


@pytest.mark.parametrize("name", ["cmd:sh {module}", "cmd:sh {0}", "cmd:sh 'open", "cmd:sh {"])
def test_a_template_that_cannot_be_filled_in_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be filled in, .*; there are \{file\}, \{name\} and \{args\}"):
        peer(name)


def test_a_command_may_have_commas() -> None:
    assert engines_named("reference, cmd:a {file} -x=1,2,cmd:b {file},fast:2,node") == (
        "reference",
        "cmd:a {file} -x=1,2",
        "cmd:b {file}",
        "fast:2",
        "node",
    )


@pytest.mark.parametrize(
    ("name", "missing"),
    [("cmd:", "no {file}, no {name}, no {args};"), ("cmd:sh", "no {file}, no {name}"), ("cmd:sh {file} {args}", "has no {name};")],
)
def test_a_template_has_a_place_for_all_that_is_asked(name: str, missing: str) -> None:
    with pytest.raises(ValueError, match=re.escape(missing)):
        peer(name)


@pytest.mark.parametrize("name", ["node:no-such-node", "cmd:no-such-program {file} {name} {args}"])
def test_a_program_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ImportError, match=r"not installed|no program"):
        peer(name)


def test_a_real_deviation_is_found_made_small_and_written_down() -> None:
    """pywasm rounds -0 up to 0."""
    here("pywasm")
    names = ("reference", "pywasm")
    run = run_shard(Shard("single", "1.0", [op.mnemonic for op in rows(WASM_1)].index("f32.ceil"), 1), names)
    found = [Finding(**row) for row in run["findings"]]
    assert [finding.cause for finding in found] == ["pywasm against reference, f32.ceil, call … f: returned / returned"]
    words = reduced(found[0], names, 15.0)
    crew(names).close()
    assert "f32.ceil" in words
    assert not run_script(Source("pywasm", words), Runner(selection.engine("reference"), WASM_1)).failures


def test_what_the_document_says_of_pywasm_is_so() -> None:
    (source,) = re.findall(r"^```wasm\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    module = text.parse(source.partition("(assert_return")[0])
    job = Job(binary.encode(module), tuple(Call(export.name, ()) for export in module.exports), WASM_1)
    ours, theirs = peer("reference").run(job), here("pywasm").run(job)
    assert len(job.calls) == 4
    assert [ours.calls[i].values != theirs.calls[i].values for i in range(4)] == [True] * 4
