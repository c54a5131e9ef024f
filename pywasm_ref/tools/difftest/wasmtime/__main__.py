"""Scripts on wasmtime, for a parent that reads: a path a line on standard input, a report a line on standard output."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.report import FileReport
from pywasm_ref.script.run import run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.difftest.wasmtime.engine import WasmtimeEngine
from pywasm_ref.tools.difftest.wasmtime.script import WasmtimeRunner
from pywasm_ref.tools.difftest.worker import private_output


def report(path: str, strategy: str) -> FileReport:
    start = time.perf_counter()
    source = Source(path, Path(path).read_text(encoding="utf-8"))
    done = run_script(source, WasmtimeRunner(WasmtimeEngine(strategy), features_for(Path(path))))
    done.seconds = round(time.perf_counter() - start, 3)
    return done


def main(arguments: list[str]) -> int:
    answers = private_output()
    for line in sys.stdin:
        answers.write(json.dumps(asdict(report(line.rstrip("\n"), arguments[0] if arguments else "cranelift"))).encode() + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
