"""An engine that dies, hangs or fills the memory is an answer, and the next job finds a new process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pywasm_ref.tools.difftest.child import Bounds, Child, Unavailable
from pywasm_ref.tools.difftest.generate import PROFILES, seeded
from pywasm_ref.tools.difftest.jobs import Job, Outcome

BAD = """
import json, os, sys, time
print('{"ready": true}', flush=True)
for line in sys.stdin:
    data = bytes.fromhex(json.loads(line)["data"])
    if data == b"die": os.abort()
    if data == b"leave": os._exit(3)
    if data == b"hang": time.sleep(60)
    print(json.dumps({"start": {"kind": "returned", "words": "", "values": []}, "calls": [], "host": [], "state": {}}), flush=True)
"""


@pytest.fixture
def bad() -> Child:
    return Child("bad", Bounds(seconds=0.5), command=[sys.executable, "-c", BAD])


@pytest.mark.parametrize(
    ("data", "outcome"), [(b"die", "crash SIGABRT"), (b"leave", "crash exit status 3"), (b"hang", "hang no answer in 0.5 seconds")]
)
def test_a_process_that_fails_is_an_answer_and_the_next_job_is_done(bad: Child, data: bytes, outcome: str) -> None:
    with bad as child:
        assert str(child.ask(Job(data)).start) == outcome
        assert child.ask(Job(b"good")).start == Outcome("returned")


def test_an_engine_that_is_not_there_is_said_once() -> None:
    with pytest.raises(Unavailable, match="there is no engine 'nobody'; there are reference"):
        Child("nobody").start()


def test_memory_that_is_not_to_be_had_is_an_answer() -> None:
    module = seeded(0, PROFILES["1.0"]).job()
    with Child("reference", Bounds(memory=12 << 20)) as child:
        kinds = {child.ask(module).start.kind for _ in range(2)} if started(child) else {"memory"}
    assert kinds <= {"memory", "crash", "returned"}


def started(child: Child) -> bool:
    """Whether so little memory is enough to begin with."""
    try:
        child.start()
    except Unavailable:
        return False
    return True


def test_a_guest_that_never_ends_is_a_hang() -> None:
    from pywasm_ref import binary, text
    from pywasm_ref.tools.difftest.jobs import Call

    data = binary.encode(text.parse('(module (func (export "f") (loop (br 0))))'))
    with Child("reference", Bounds(seconds=2)) as child:
        assert child.ask(Job(data, (Call("f", ()),))).start.kind == "hang"
        assert child.ask(Job(data)).start.kind == "returned"


def test_what_an_engine_prints_does_not_disturb_its_answers(tmp_path: Path) -> None:
    script = tmp_path / "chatty.py"
    script.write_text(
        "from pywasm_ref.tools.difftest import worker, peers\n"
        "import sys\n"
        "class Chatty:\n"
        "    def run(self, job):\n"
        "        print('noise')\n"
        "        return peers.peer('reference').run(job)\n"
        "worker.peer = lambda name: Chatty()\n"
        "raise SystemExit(worker.main(sys.argv[1:]))\n"
    )
    with Child("reference", command=[sys.executable, str(script)]) as child:
        assert child.ask(seeded(1, PROFILES["1.0"]).job()).start.kind == "returned"
