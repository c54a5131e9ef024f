"""Programs for WASI on this engine and on wasmtime: large pieces through files, and many small writes.

    python -m benchmarks.wasi_vs_wasmtime [--rounds 5] [--engine fast]

Both run in this process, one after the other in each round; what counts is the least processor time of all rounds, as a ratio. wasmtime
writes to a file without a buffer; we do so too, and to what else a program for Python may have for output.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pywasm_ref as wasm
from pywasm_ref import wasi

PIECE = 65536
TOTAL = 64 << 20
SMALL = 100_000

PROGRAM = """
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 3)
  (data (i32.const 0) "inoutsixteen bytes.\\n")
  (func $check (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func $open (param $path i32) (param $n i32) (param $oflags i32) (param $rights i64) (param $fd i32)
    (call $check (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $n) (local.get $oflags)
      (local.get $rights) (i64.const 0) (i32.const 0) (local.get $fd))))
  (func $copy
    (call $open (i32.const 0) (i32.const 2) (i32.const 0) (i64.const 2) (i32.const 64))
    (call $open (i32.const 2) (i32.const 3) (i32.const 9) (i64.const 64) (i32.const 68))
    (i32.store (i32.const 80) (i32.const 65536)) (i32.store (i32.const 84) (i32.const PIECE)) (i32.store (i32.const 88) (i32.const 65536))
    (loop $again
      (call $check (call $fd_read (i32.load (i32.const 64)) (i32.const 80) (i32.const 1) (i32.const 92)))
      (call $check (call $fd_write (i32.load (i32.const 68)) (i32.const 88) (i32.const 1) (i32.const 96)))
      (br_if $again (i32.load (i32.const 92)))))
  (func $write (local $left i32)
    (local.set $left (i32.const SMALL))
    (i32.store (i32.const 80) (i32.const 5)) (i32.store (i32.const 84) (i32.const 16))
    (loop $again
      (call $check (call $fd_write (i32.const 1) (i32.const 80) (i32.const 1) (i32.const 96)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
  (func (export "_start")
    (call $check (call $args_sizes_get (i32.const 100) (i32.const 104)))
    (if (i32.eq (i32.load (i32.const 100)) (i32.const 1)) (then (call $copy)) (else (call $write)))))
"""


def program(small: int = SMALL) -> str:
    """The guest: without arguments it copies `in` to `out`, with one it writes sixteen bytes at a time. `fd_read` writes how much it read
    to where the buffer for `fd_write` has its length."""
    return PROGRAM.replace("PIECE", str(PIECE)).replace("SMALL", str(small))


Job = Callable[[Sequence[str]], None]


def ours(engine: str, source: str, folder: Path) -> dict[str, Job]:
    """The program with its output in a file that buffers, in one that does not, and in memory."""
    module = wasm.Module(source, engine)

    def to_file(buffering: int) -> Job:
        def job(args: Sequence[str]) -> None:
            with open(folder / "ours.txt", "wb", buffering=buffering) as out:
                wasi.run(module, args=args, dirs={"/": folder}, stdout=out).check()

        return job

    def captured(args: Sequence[str]) -> None:
        (folder / "ours.txt").write_bytes(wasi.run(module, args=args, dirs={"/": folder}, capture=True).check().stdout)

    return {"buffered": to_file(PIECE), "unbuffered": to_file(0), "captured": captured}


def wasmtimes(source: str, folder: Path) -> Job:
    import wasmtime

    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, source)

    def job(args: Sequence[str]) -> None:
        store, config, linker = wasmtime.Store(engine), wasmtime.WasiConfig(), wasmtime.Linker(engine)
        config.argv = ["program", *args]
        config.preopen_dir(str(folder), "/")
        config.stdout_file = str(folder / "wasmtime.txt")
        store.set_wasi(config)
        linker.define_wasi()
        start = linker.instantiate(store, module).exports(store)["_start"]
        if not isinstance(start, wasmtime.Func):
            raise TypeError("the program has no _start")
        start(store)

    return job


def measured(jobs: dict[str, Job], args: Sequence[str], rounds: int) -> dict[str, float]:
    """The least processor time of each, in seconds."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, job in jobs.items():
            begin = time.process_time()
            job(args)
            least[name] = min(least.get(name, float("inf")), time.process_time() - begin)
    return least


def compare(engine: str, rounds: int, total: int = TOTAL, small: int = SMALL) -> dict[str, float]:
    """Our time over wasmtime's, for each task."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_bytes(os.urandom(total))
        source = program(small)
        own, peer = ours(engine, source, folder), {"wasmtime": wasmtimes(source, folder)}
        copied = measured({"buffered": own["buffered"], **peer}, [], rounds)
        if (folder / "out").read_bytes() != (folder / "in").read_bytes():
            raise RuntimeError("the copy differs")
        written = measured({**own, **peer}, ["small"], rounds)
        if (folder / "ours.txt").read_bytes() != (folder / "wasmtime.txt").read_bytes():
            raise RuntimeError("the outputs differ")
    ratios = {f"copy {total >> 20} MiB": ratio("copy", copied, "buffered")}
    return ratios | {f"{small} small writes, {way}": ratio(f"small writes, {way}", written, way) for way in own}


def ratio(task: str, least: dict[str, float], way: str) -> float:
    found = least[way] / least["wasmtime"]
    print(f"{task:>24}: ours {least[way]:.3f} s, wasmtime {least['wasmtime']:.3f} s, ratio {found:.2f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", default="auto")
    options = parser.parse_args()
    compare(options.engine, options.rounds)


if __name__ == "__main__":
    main()
