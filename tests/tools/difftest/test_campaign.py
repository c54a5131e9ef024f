"""Campaigns: they go on where they stopped, give the same findings wherever they run, and leave scripts that show each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pywasm_ref.cli import main
from pywasm_ref.cli.diff import Teller, judged_by_commands
from pywasm_ref.embedding import selection
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.difftest import crew as crews
from pywasm_ref.tools.difftest.campaign import run
from pywasm_ref.tools.difftest.child import BOUNDS
from pywasm_ref.tools.difftest.crew import Crew, crew
from pywasm_ref.tools.difftest.folder import Folder, NotTheSame
from pywasm_ref.tools.difftest.generate import PROFILES, seeded
from pywasm_ref.tools.difftest.peers import peer
from pywasm_ref.tools.difftest.pools import local_pool
from pywasm_ref.tools.difftest.settings import Settings
from pywasm_ref.tools.difftest.shards import Finding, Report, Shard, name_of, run_shard
from pywasm_ref.tools.difftest.wast import script
from pywasm_ref.tools.difftest.work import FEW, USUAL, corpus_files, made, profile_for

TWICE = ("reference", "reference:again")
"""Two processes of one engine: nothing is found, and all of the machinery is used."""
LINE = ["--engines", ",".join(TWICE), "--features", "1.0", "--work", "modules,mutants,single", "--count", "6"]
"""What gives the settings below."""


class Here(Executor):
    """Does everything at once, in this process."""

    def submit(self, call: Any, /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, **more))
        return future


@pytest.fixture
def settings() -> Settings:
    return Settings(TWICE, ("1.0",), ("modules", "mutants", "single"), most=6)


def test_a_campaign_that_was_stopped_goes_on(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(settings, Folder(tmp_path / "whole", settings), Here(), lambda _: None)
    parts = tmp_path / "parts"
    run(settings, Folder(parts, settings), Here(), lambda _: None)
    lines = (parts / "shards.jsonl").read_text().splitlines()
    (parts / "shards.jsonl").write_bytes(b"\n".join([lines[0].encode(), b"{}", b"[1]", b"\xff", lines[1][:20].encode()]))
    done: list[Shard] = []

    def noted(shard: Shard, *rest: Any) -> dict[str, Any]:
        done.append(shard)
        return run_shard(shard, *rest)

    monkeypatch.setattr("pywasm_ref.tools.difftest.campaign.run_shard", noted)
    resumed = run(settings, Folder(parts, settings), Here(), lambda _: None)
    assert {shard.work for shard in done} == {"modules", "mutants", "single"} - {json.loads(lines[0])["shard"]["work"]}
    assert (resumed.jobs, resumed.usable, resumed.findings) == (whole.jobs, whole.usable, whole.findings)
    assert resumed.executed == whole.executed
    done.clear()
    assert run(settings, Folder(parts, settings), Here(), lambda _: None).jobs == whole.jobs
    assert not done
    assert (parts / "report.html").read_text().startswith("<!doctype html>")


def test_a_campaign_that_is_interrupted_says_how_far_it_came_and_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(shard: Shard, *rest: Any) -> dict[str, Any]:
        if shard.work == "single":
            raise KeyboardInterrupt
        return run_shard(shard, *rest)

    monkeypatch.setattr("pywasm_ref.tools.difftest.campaign.run_shard", interrupted)
    monkeypatch.setattr("pywasm_ref.tools.difftest.pools.local_pool", lambda _: nullcontext(Here()))
    line = ["diff", "--engines", ",".join(TWICE), "--jobs", "1", "--count", "3", "--features", "1.0", "--report", str(tmp_path)]
    assert main(line) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert json.loads((tmp_path / "campaign.json").read_text())["totals"]["jobs"] == {"modules 1.0": 3, "mutants 1.0": 3}


def test_a_folder_belongs_to_one_campaign(tmp_path: Path, settings: Settings) -> None:
    run(replace(settings, most=1), Folder(tmp_path, settings), Here(), lambda _: None)
    Folder(tmp_path, settings)
    with pytest.raises(NotTheSame, match="other settings"):
        Folder(tmp_path, Settings(TWICE, ("2.0",)))
    with pytest.raises(NotTheSame, match=r"other settings: releases \['1.0'\], seed 0$"):
        Folder(tmp_path, replace(settings, releases=("2.0",), seed=1))
    for damaged in (b"{", b"[]", b"\xff"):
        (tmp_path / "campaign.json").write_bytes(damaged)
        with pytest.raises(NotTheSame, match="damaged"):
            Folder(tmp_path, settings)


def test_a_folder_with_other_things_in_it_is_left_as_it_is(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "report.html").write_text("another report")
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(NotTheSame, match=r"other things in it, such as thesis\.tex$"):
        Folder(tmp_path, settings)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["report.html", "thesis.tex"]


def test_a_campaign_tells_which_instructions_it_executed(tmp_path: Path) -> None:
    settings = Settings(TWICE, ("1.0",), ("modules", "single"), most=60)
    totals = run(settings, Folder(tmp_path, settings), Here(), lambda _: None)
    told = json.loads((tmp_path / "campaign.json").read_text())["totals"]["opcodes"]
    assert told["of"] == len(settings.opcodes()) == 170
    assert told["executed"] + len(told["missing"]) == told["of"]
    assert totals.line().endswith(f"opcodes {told['executed']}/170")
    assert told["executed"] >= 140
    lines = [json.loads(line) for line in (tmp_path / "shards.jsonl").read_text().splitlines()]
    named = [name for line in lines for name in line["executed"]]
    assert len(named) == len(set(named)) == told["executed"]


@pytest.mark.parametrize(("engines", "work"), [(("fast", "wasmtime"), ("modules",)), (TWICE, ("mutants",))])
def test_instructions_are_not_counted_where_nobody_can_tell(engines: tuple[str, ...], work: tuple[str, ...]) -> None:
    assert not Settings(engines, work=work).opcodes()


def test_an_engine_that_differs_is_found_made_small_and_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("reference", "reference:shift_mask")
    commands = {"reference:shift_mask": (sys.executable, "-m", "tests.tools.difftest.faults")}
    monkeypatch.setitem(crews._CREWS, (names, BOUNDS), Crew(names, commands))
    settings = Settings(names, ("3.0",), ("single",), most=400, reduce_seconds=20)
    totals = run(settings, Folder(tmp_path, settings), Here(), lambda _: None)
    crew(names).close()
    assert totals.unexplained()
    (found,) = (tmp_path / "finds").iterdir()
    words = found.read_text()
    assert words.startswith(";; reference:shift_mask does not agree with reference.")
    assert "i64.shr_u" in words
    assert not run_script(Source("find", words), Runner(selection.engine("reference"), PROFILES["3.0"].features)).failures


@pytest.mark.parametrize("release", PROFILES)
def test_any_module_can_be_written_as_a_script_that_passes(release: str) -> None:
    reference = peer("reference")
    for seed in range(12):
        job = seeded(seed, PROFILES[release]).job()
        answer = reference.run(job)
        if answer.start.kind != "returned":
            continue
        words = script(job, answer, ["a story"])
        report = run_script(Source(f"{release} {seed}", words), Runner(selection.engine("reference"), job.features))
        assert not report.failures, words


def test_processes_here_give_what_one_process_gives(tmp_path: Path, settings: Settings) -> None:
    with local_pool(2) as pool:
        totals = run(settings, Folder(tmp_path, settings), pool, lambda _: None)
    assert totals.jobs.total() == 18
    assert not totals.findings


@pytest.mark.slow
def test_a_cluster_gives_what_this_machine_gives(tmp_path: Path, settings: Settings) -> None:
    distributed = pytest.importorskip("distributed")
    from pywasm_ref.tools.difftest.pools import cluster_pool

    here = run(settings, Folder(tmp_path / "here", settings), Here(), lambda _: None)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        cluster_pool(cluster.scheduler_address) as pool,
    ):
        there = run(settings, Folder(tmp_path / "there", settings), pool, lambda _: None)
    assert (there.jobs, there.findings, there.outcomes) == (here.jobs, here.findings, here.outcomes)


def test_the_command_runs_a_corpus_and_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for seed in range(3):
        (corpus / f"{seed}.wasm").write_bytes(seeded(seed, PROFILES["1.0"]).job().data)
    line = [
        "diff",
        "--engines",
        ",".join(TWICE),
        "--corpus",
        str(corpus),
        "--report",
        str(tmp_path / "report"),
        "--jobs",
        "1",
        "--features",
        "1.0",
    ]
    assert main(line) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("3 jobs")
    assert printed.err == ""
    assert len(json.loads((tmp_path / "report" / "shards.jsonl").read_text())["findings"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engines", "reference,nobody"], "there is no engine 'nobody'"),
        (["--engines", "reference"], "at least two engines are needed"),
        (["--engines", "nobody"], "there is no engine 'nobody'"),
        (["--engines", ""], "at least two engines are needed"),
        (["--engines", "reference,reference"], "each engine stands once"),
        (["--engines", ",".join(TWICE), "--features", ""], "name at least one"),
        (["--engines", ",".join(TWICE), "--work", ""], "name at least one"),
        (["--engines", ",".join(TWICE), "--memory", "1"], ""),
        (["--features", "4.0"], "not for 4.0"),
        (["--work", "play"], "not play"),
        (["--engines", ",".join(TWICE), "--corpus", "nowhere"], "there is no nowhere"),
        (["--engines", ",".join(TWICE), "--corpus", "."], "no modules (.wasm) in ."),
        (["--engines", "reference,cmd:"], "has no {file}"),
        (["--engines", "reference,cmd:true {file} {name} {args}", "--work", "single,mutants"], "leave mutants out of --work"),
        (["--engines", "reference,cmd:sh {what}"], "cannot be filled in"),
        (["--engines", ",".join(TWICE), "--time", "1", "--cluster", "tcp://127.0.0.1:1"], "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if "--cluster" in words:
        pytest.importorskip("distributed")
    assert main(["diff", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_cluster_without_dask_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = ["diff", "--engines", ",".join(TWICE), "--time", "1", "--report", str(tmp_path), "--cluster", "tcp://127.0.0.1:1"]
    assert main(line) == 2
    error = capsys.readouterr().err
    assert "pip install 'pywasm-ref[cluster]'" in error
    assert len(error.splitlines()) == 1


def test_a_corpus_of_which_nothing_runs_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "one.wasm"
    module.write_bytes(b"\0asm")
    line = ["diff", "--engines", ",".join(TWICE), "--corpus", str(module), "--report", str(tmp_path / "report"), "--jobs", "1"]
    assert main(line) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("1 job,")
    assert "none of these modules starts and gives something back" in printed.err
    module.write_bytes(b"\0as")
    assert main(line) == 2
    assert "other settings: files" in capsys.readouterr().err


def test_only_files_are_modules_of_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "folder.wasm").mkdir()
    (tmp_path / "nowhere.wasm").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe.wasm")
    (tmp_path / "folder.wasm" / "module.wasm").write_bytes(b"")
    assert corpus_files(str(tmp_path)) == (str(tmp_path / "folder.wasm" / "module.wasm"),)


def test_shards_are_small_where_a_program_is_started_for_each_call() -> None:
    settings = Settings(("reference", "cmd:true"), ("1.0",), ("single",), most=2)
    assert [(shard.first, shard.count) for shard in settings.shards()] == [(0, 1), (1, 1)]


def test_few_calls_are_asked_of_a_program_that_is_started_for_each() -> None:
    profile = profile_for("1.0", ("reference", "cmd:true"))
    for work in ("modules", "single"):
        found = [made(work, seed, profile).calls for seed in range(20)]
        assert max(map(len, found)) == FEW
        assert found == [made(work, seed, profile).calls for seed in range(20)]
        assert not any(call.name == "peek" for calls in found for call in calls)


def test_a_command_is_not_asked_what_it_cannot_tell() -> None:
    assert judged_by_commands(USUAL, False) == ("modules", "single")


def test_there_is_soon_something_of_each_kind_of_work() -> None:
    settings = Settings(TWICE, ("1.0", "2.0"), ("modules", "single"), most=250)
    shards = list(settings.shards())
    assert [(name_of(shard.work, shard.release), shard.first, shard.count) for shard in shards[:4]] == [
        ("modules 1.0", 0, 10),
        ("modules 2.0", 0, 10),
        ("single 1.0", 0, 10),
        ("single 2.0", 0, 10),
    ]
    for name in settings.names():
        assert [seed for shard in shards if name_of(shard.work, shard.release) == name for seed in seeds(shard)] == list(range(250))


def seeds(shard: Shard) -> range:
    return range(shard.first, shard.first + shard.count)


def test_what_was_never_begun_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pywasm_ref.tools.difftest.pools.local_pool", lambda _: nullcontext(Here()))
    line = ["diff", "--engines", ",".join(TWICE), "--time", "0.1", "--jobs", "1", "--features", "1.0", "--report", str(tmp_path)]
    assert main(line) == 0
    assert "not begun for want of time: mutants 1.0, single 1.0\n" in capsys.readouterr().out
    assert json.loads((tmp_path / "campaign.json").read_text())["totals"]["not begun"] == ["mutants 1.0", "single 1.0"]
    assert "Not begun: mutants 1.0, single 1.0." in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(("first", "then"), [(3, 5), (5, 3), (2, 2)])
def test_a_campaign_that_goes_on_to_another_end_does_nothing_twice(tmp_path: Path, first: int, then: int) -> None:
    for most in (first, then):
        settings = Settings(TWICE, ("1.0",), ("single",), most=most)
        totals = run(settings, Folder(tmp_path, settings), Here(), lambda _: None)
    assert totals.jobs.total() == max(first, then)
    done = [Shard(**json.loads(line)["shard"]) for line in (tmp_path / "shards.jsonl").read_text().splitlines()]
    assert sorted(seed for shard in done for seed in range(shard.first, shard.first + shard.count)) == list(range(max(first, then)))


def test_what_stands_twice_counts_once(tmp_path: Path, settings: Settings) -> None:
    once = run(settings, Folder(tmp_path, settings), Here(), lambda _: None)
    lines = (tmp_path / "shards.jsonl").read_text()
    (tmp_path / "shards.jsonl").write_text(lines + lines)
    assert run(settings, Folder(tmp_path, settings), Here(), lambda _: None).plain() == once.plain()


def test_two_campaigns_do_not_share_a_folder(tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with Folder(tmp_path, settings).alone():
        assert main(["diff", *LINE, "--report", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "another campaign is at work" in error
    assert len(error.splitlines()) == 1


def test_a_campaign_that_is_terminated_leaves_nothing_and_says_how_it_goes_on(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "pywasm_ref",
        "diff",
        "--engines",
        ",".join(TWICE),
        "--time",
        "600",
        "--jobs",
        "2",
        "--report",
        str(tmp_path),
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as campaign:
        deadline = time.monotonic() + 60
        while not (tmp_path / "shards.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        campaign.send_signal(signal.SIGTERM)
        _, error = campaign.communicate(timeout=20)
    assert error == "stopped; the same command goes on from here\ninterrupted\n"
    assert campaign.returncode == 130
    assert json.loads((tmp_path / "campaign.json").read_text())["totals"]["jobs"]


def test_progress_is_told_now_and_then_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    monkeypatch.setattr("pywasm_ref.cli.diff.time.monotonic", lambda: now)
    teller = Teller()
    for second in range(0, 70, 5):
        now = float(second)
        teller(f"{second} s")
    teller("find finds/000.wast")
    assert capsys.readouterr() == ("find finds/000.wast\n", "30 s\n60 s\n")


def test_finds_come_as_they_are_small_and_how_many_is_told(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    findings = [Finding("single", "1.0", n, "start", "a", "b", "x", "y", f"cause {n}") for n in range(3)]
    report = Report(Shard("single", "1.0", 0, 6), 6, 6, findings=findings)
    monkeypatch.setattr("pywasm_ref.tools.difftest.campaign.run_shard", lambda shard, *_: replace(report, shard=shard).plain())
    monkeypatch.setattr("pywasm_ref.tools.difftest.campaign.reduced", lambda finding, *_: f"script of {finding.cause}")
    one = replace(settings, work=("single",))
    totals = run(one, Folder(tmp_path, one), Here(), shown.append)
    assert totals.finds == {f"cause {n}": f"finds/00{n}-single-1.0-{n}.wast" for n in range(3)}
    assert (tmp_path / totals.finds["cause 2"]).read_text() == "script of cause 2"
    assert "making finds small: 0 of 3, 0 s" in shown


def test_a_process_of_the_pool_that_is_killed_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> Any:
        raise BrokenExecutor

    monkeypatch.setattr("pywasm_ref.tools.difftest.campaign._results", broken)
    assert main(["diff", *LINE, "--report", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "goes on from here" in error
    assert len(error.splitlines()) == 1
