"""Clocks, randomness, streams, sockets and policies."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from pywasm_ref.capabilities import (
    Capture,
    FakeClocks,
    Listener,
    Network,
    NotLent,
    Policy,
    SeededRandomness,
    SystemClocks,
    SystemRandomness,
)
from pywasm_ref.capabilities.network import Connection, Destination
from pywasm_ref.capabilities.policy import Dir
from pywasm_ref.capabilities.streams import INHERIT, Input, Output, as_input, as_output
from pywasm_ref.capabilities.waiting import Waker


def taken(source: Input, n: int = 100) -> bytes:
    buffer = memoryview(bytearray(n))
    return bytes(buffer[: source.read([buffer[: n // 2], buffer[n // 2 :]])])


def given(target: Output, *data: bytes) -> int:
    return target.write([memoryview(part) for part in data])


def test_fake_clocks_move_only_when_they_are_read() -> None:
    first, second = FakeClocks(start=5, step=10), FakeClocks(start=5, step=10)
    assert [first.realtime(), first.monotonic(), first.cpu(thread=True)] == [15, 20, 30]
    assert first.pass_by(1000)
    assert first.realtime() == 1045
    assert second.realtime() == 15
    assert first.resolution("realtime") == 10


def test_clocks_of_the_system_run() -> None:
    clocks = SystemClocks()
    assert abs(clocks.realtime() - time.time_ns()) < 10**9
    assert clocks.monotonic() <= clocks.monotonic()
    assert clocks.cpu(thread=False) >= 0
    assert clocks.resolution("thread") >= 1
    assert not clocks.pass_by(1)
    clocks.access.revoke()
    for read in (clocks.realtime, clocks.monotonic, lambda: clocks.cpu(thread=True), lambda: clocks.resolution("realtime")):
        with pytest.raises(NotLent, match="taken back"):
            read()


def test_a_seed_decides_random_bytes_whatever_the_pieces() -> None:
    whole, pieces = SeededRandomness(7), SeededRandomness(7)
    assert whole.take(100) == b"".join(pieces.take(n) for n in (1, 32, 33, 34))
    assert SeededRandomness(8).take(16) != SeededRandomness(7).take(16)
    assert SeededRandomness(7).take(4).hex() == "f7741de2"
    assert len(SystemRandomness().take(33)) == 33


@pytest.mark.parametrize(
    "source", [b"some bytes", "some bytes", io.BytesIO(b"some bytes"), io.StringIO("some bytes"), iter([b"some bytes", b""]).__next__]
)
def test_bytes_are_read_from_many_things(source: object) -> None:
    if not isinstance(source, bytes | str | io.IOBase):
        following = source
        stream = as_input(lambda n: following())  # type: ignore[operator]
    else:
        stream = as_input(source)  # type: ignore[arg-type]
    assert taken(stream, 6) + taken(stream, 90) == b"some bytes"
    assert taken(stream) == b""
    stream.access.revoke()
    with pytest.raises(NotLent):
        taken(stream)


def test_bytes_are_written_to_many_things(tmp_path: Path) -> None:
    heard: list[bytes] = []
    binary, text, capture = io.BytesIO(), io.StringIO(), Capture()
    for target in (heard.append, binary, text, capture):
        assert given(as_output(target, 1), b"gr\xc3", b"\xbc\xc3\x9fe") == 7
    with open(tmp_path / "raw", "wb", buffering=0) as raw:
        assert given(as_output(raw, 1), b"gr\xc3", b"\xbc\xc3\x9fe") == 7
    wanted = "grüße".encode()
    assert (b"".join(heard), binary.getvalue(), text.getvalue(), capture.data) == (wanted, wanted, "grüße", wanted)
    assert (tmp_path / "raw").read_bytes() == wanted
    assert given(as_output(None, 1), b"gone") == 4
    assert taken(as_input(None)) == b""


def test_a_file_of_an_unknown_kind_is_given_bytes_of_its_own() -> None:
    class Kept:
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.parts.append(data)

    kept, memory = Kept(), bytearray(b"first")
    as_output(kept, 1).write([memoryview(memory)])  # type: ignore[arg-type]
    memory[:] = b"later"
    assert kept.parts == [b"first"]


def test_a_capture_is_full_at_its_limit() -> None:
    capture = Capture(limit=5)
    assert given(capture, b"123", b"456") == 5
    with pytest.raises(OSError, match="No space"):
        given(capture, b"7")
    assert given(capture, b"") == 0
    assert capture.data == b"12345"


def test_nothing_else_is_a_stream() -> None:
    with pytest.raises(TypeError, match="give bytes, a file object"):
        as_input(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="give a file object"):
        as_output(7, 1)  # type: ignore[arg-type]
    assert as_output(INHERIT, 2).access.name == "stderr"


def test_a_waker_ends_all_waiting() -> None:
    waker = Waker()
    reader, writer = os.pipe()
    threading.Timer(0.05, waker.wake).start()
    begin = time.monotonic()
    assert waker.wait([reader], [], 20) == ([], [])
    assert time.monotonic() - begin < 10
    assert waker.woken
    assert waker.wait([], [], 20) == ([], [])
    os.write(writer, b"x")
    waker.close()
    os.close(reader)
    os.close(writer)


def test_a_nudge_ends_one_waiting() -> None:
    """That of now, or else the next; for descriptors and for time."""
    waker = Waker()
    reader, writer = os.pipe()
    for readers in ([], [reader], [], [reader]):
        waker.nudge()
        waker.nudge()
        begin = time.monotonic()
        assert waker.wait(readers, [], 20) == ([], [])
        assert time.monotonic() - begin < 10
        assert not waker.woken
        assert waker.wait(readers, [], 0.01) == ([], [])
    for _ in range(300_000):
        waker.nudge()
    assert waker.wait([reader], [], 20) == ([], [])
    assert not waker.ready_now(reader, reading=True)
    assert waker.ready_now(writer, reading=False)
    os.write(writer, b"x")
    assert waker.ready_now(reader, reading=True)
    waker.close()
    waker.nudge()
    os.close(reader)
    os.close(writer)


def test_a_waker_tells_what_is_ready() -> None:
    waker = Waker()
    reader, writer = os.pipe()
    assert waker.wait([reader], [], 0.01) == ([], [])
    assert waker.wait([reader], [writer], None) == ([], [writer])
    os.write(writer, b"x")
    assert waker.wait([reader], [], None) == ([reader], [])
    waker.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("text", "name", "address", "port", "covered"),
    [
        ("example.org:443", "example.org", "1.2.3.4", 443, True),
        ("example.org:443", "example.org.", "1.2.3.4", 443, True),
        ("example.org:443", "example.com", "1.2.3.4", 443, False),
        ("example.org:443", "example.org", "1.2.3.4", 80, False),
        ("10.0.0.0/8:*", "anything", "10.2.3.4", 1, True),
        ("10.0.0.0/8:*", "anything", "11.2.3.4", 1, False),
        ("[2001:db8::]/32:8000-8999", "x", "2001:db8::1", 8080, True),
        ("[2001:db8::]/32:8000-8999", "x", "2001:db8::1", 9000, False),
        ("[::1]:80", "::1", "::1", 80, True),
        ("127.0.0.1:*", "localhost", "127.0.0.1", 5, True),
    ],
)
def test_a_destination_covers_what_it_says(text: str, name: str, address: str, port: int, covered: bool) -> None:
    import ipaddress

    destination = Destination.parse(text)
    assert destination.covers(name, ipaddress.ip_address(address), port) is covered
    assert Destination.parse(str(destination)) == destination


@pytest.mark.parametrize("text", ["", "example.org", ":80", "x:y", "x:70000", "x:9-1", "1.2.3.4/99:1"])
def test_what_is_no_destination_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Destination.parse(text)


def test_a_connection_leads_only_where_the_list_says(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    host, port = listener.address
    with pytest.raises(NotLent, match=r"a connection to 127\.0\.0\.1"):
        Network([f"127.0.0.1:{port + 1 if port < 65535 else 1}"]).connect(host, port)
    end = Network([f"127.0.0.0/8:{port}"]).connect(host, port)
    assert given(end, b"he", b"llo") == 5
    waker = Waker()
    waker.wait([listener.fileno()], [], 10)
    other = listener.accept()
    waker.wait([other.fileno()], [], 10)
    assert taken(other) == b"hello"
    end.shutdown(2)
    waker.wait([other.fileno()], [], 10)
    assert taken(other) == b""
    for thing in (end, other, listener):
        assert isinstance(thing, Connection | Listener)
        thing.close()
    waker.close()

    def asked(*_: object, **__: object) -> list[object]:
        raise AssertionError("a name that is on no list was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    with pytest.raises(NotLent):
        Network(["example.org:443"]).connect("secret.example.com", 443)


POLICY = Policy(
    args=("-v", 'a "quoted" one'),
    env={"NAME": "wert äöü", "WITH SPACE": "x"},
    dirs=(Dir("/data", "data", "read"), Dir("/tmp", mode="memory", bytes=1000), Dir("/src", "src", "overlay"), Dir("/out", "out", files=5)),
    streams=frozenset({"stdout"}),
    clock="fake",
    random=7,
    listen=("127.0.0.1:0",),
    connect=("example.org:443",),
    limits={"fuel": 1000, "timeout": 2.5},
)


def test_a_policy_is_the_same_after_a_trip_through_toml() -> None:
    assert Policy.from_toml(POLICY.to_toml()) == POLICY
    assert Policy.from_toml(Policy().to_toml()) == Policy()


def test_a_policy_explains_itself() -> None:
    words = POLICY.explain()
    for line in (
        "read data as /data",
        "use a tree in memory as /tmp, at most 1000 bytes and 65536 new files",
        "read src as /src; what it changes there stays in memory, at most 268435456 bytes and 65536 new files",
        "read and write out as /out, at most 5 new files",
        "use stdout of this process",
        "connect to example.org:443",
        "fuel: at most 1000",
    ):
        assert line in words.splitlines()
    assert "no directory" in Policy().explain()


@pytest.mark.parametrize(
    "text",
    [
        'clock = "wrong"',
        'random = "often"',
        'streams = ["stdlog"]',
        "args = [1]",
        "unknown = 1",
        "[net]\nunknown = 1",
        "[net]\nconnect = ['nowhere']",
        "[[dir]]\nguest = '/x'",
        "[[dir]]\nguest = '/x'\nhost = 'y'\nmode = 'all'",
        "[[dir]]\nguest = '/x'\nhost = 'y'\nbytes = '1'",
        "[[dir]]\nguest = '/x'\nhost = 'y'\n[[dir]]\nguest = '/x'\nhost = 'z'",
        "[limits]\nspeed = 1",
        "[env]\nA = 1",
        "not toml",
    ],
)
def test_a_policy_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Policy.from_toml(text)


def test_policies_are_compared() -> None:
    assert POLICY.wider_than(POLICY) is None
    assert Policy(clock="fake", random=7, limits=POLICY.limits).wider_than(POLICY) is None
    assert Policy().wider_than(POLICY) == "clock"
    narrow = Policy(dirs=(Dir("/x", "x", "read", bytes=5),))
    wide = Policy(dirs=(Dir("/x", "x", "write", bytes=10),))
    assert narrow.wider_than(wide) is None
    assert wide.wider_than(narrow) == "dir /x"
    assert Policy(env={"A": "1"}).wider_than(Policy()) == "env"
    assert Policy().wider_than(Policy(limits={"fuel": 5})) == "fuel"
