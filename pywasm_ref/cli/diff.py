"""`diff`: several engines on the same modules."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from pywasm_ref.cli.errors import Unusable
from pywasm_ref.cli.options import count, positive, seconds
from pywasm_ref.cli.terminal import Progress

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pywasm_ref.tools.difftest.child import Bounds
    from pywasm_ref.tools.difftest.folder import Folder
    from pywasm_ref.tools.difftest.settings import Settings
    from pywasm_ref.tools.difftest.totals import Totals

NAME = "diff"
HELP = "run generated, broken and found modules on several engines, and list where they differ"
EPILOG = """\
Each engine runs in a process of its own: one that crashes, hangs or takes too much memory is reported as that, and the campaign goes on.
The first engine is the measure. A campaign that was stopped goes on where it was when it is started again with the same folder and the same
engines, features, work and seed. For each cause of a difference the folder gets a script that shows it, as small as could be made.

Engines: reference, fast, wasmtime (wasmtime:winch, wasmtime:pulley), pywasm3, pywasm, node, and cmd:TEMPLATE for any command line, such as
  'cmd:some-engine run --invoke {name} {file} {args}'
which prints the results of the export in decimal, one a line. A comma begins another engine only where a name of this list follows.

A module is usable when it starts and a call comes back; mutants are not meant to, and are not counted so.

The exit status is 1 when engines differ and nobody has explained why.

examples:
  pywasm-ref diff --time 60                                      our two engines and wasmtime, for a minute
  pywasm-ref diff --engines reference,pywasm --features 1.0 --time 60
  pywasm-ref diff --corpus modules/ --engines reference,wasmtime   modules from elsewhere
  pywasm-ref diff --cluster tcp://10.0.0.1:8786 --time 3600      the same shards on a Dask cluster
"""
DEFAULT = ("reference", "fast", "wasmtime")
EVERY = 30.0
"""Seconds from one line about the progress to the next."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engines", metavar="A,B,…", help=f"which engines, the measure first (default: those of {','.join(DEFAULT)} that are here)"
    )
    parser.add_argument("--features", metavar="RELEASES", default="1.0,2.0,3.0", help="releases to generate for (default: 1.0,2.0,3.0)")
    parser.add_argument(
        "--work",
        metavar="KINDS",
        help="modules, mutants, single (instructions), texts, noise (needs Binaryen's wasm-opt); default: the first three",
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="where the numbers of modules start (default: 0)")
    parser.add_argument("--time", type=seconds, metavar="S", help="stop after that many seconds (default: 60, without --count)")
    parser.add_argument("--count", type=positive, metavar="N", help="so many of each kind of work in each release, and no more")
    parser.add_argument(
        "--jobs", type=positive, default=os.cpu_count() or 1, metavar="N", help="shards at a time (default: one a processor)"
    )
    parser.add_argument(
        "--patience", type=seconds, default=20.0, metavar="S", help="an engine that takes longer for a module hangs (default: 20)"
    )
    parser.add_argument("--memory", type=positive, default=3072, metavar="MIB", help="an engine may take that much memory (default: 3072)")
    parser.add_argument(
        "--shrink", type=seconds, default=60.0, metavar="S", help="make each find small for at most so long, at the end (default: 60)"
    )
    parser.add_argument("--corpus", metavar="PATH", help="modules (.wasm) of a folder, or one, to run instead of generated ones")
    parser.add_argument("--report", metavar="DIR", default="build/diff", help="folder for findings and report (default: build/diff)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="scheduler of a Dask cluster to run shards on")


def run(options: argparse.Namespace) -> int:
    from concurrent.futures import BrokenExecutor

    from pywasm_ref.tools.difftest.alone import NotAlone
    from pywasm_ref.tools.difftest.child import Unavailable
    from pywasm_ref.tools.difftest.folder import Folder, NotTheSame

    settings = settings_of(options)
    try:
        folder = Folder(Path(options.report), settings)
    except NotTheSame as error:
        raise Unusable(f"{error}; choose another folder with --report") from None
    try:
        with folder.alone():
            totals = campaign(settings, folder, options)
    except Unavailable as error:
        raise Unusable(str(error)) from None
    except NotAlone:
        raise Unusable(f"another campaign is at work in {folder.path}; choose another folder with --report") from None
    except BrokenExecutor:
        raise Unusable("a process of the campaign was killed, perhaps for want of memory; the same command goes on from here") from None
    conclude(totals, folder)
    return 1 if totals.unexplained() else 0


def conclude(totals: Totals, folder: Folder) -> None:
    """What came of it, and what did not."""
    print(totals.line())
    if missing := totals.not_begun():
        print(f"not begun for want of time: {', '.join(missing)}")
    if totals.meant() and not any(totals.usable.values()):
        print("warning: none of these modules starts and gives something back, so that little was compared", file=sys.stderr)
    for cause, script in sorted(totals.finds.items(), key=lambda find: find[1]):
        print(f"{folder.path / script}: {cause}")
    print(f"report: {folder.path / 'report.html'}")


def settings_of(options: argparse.Namespace) -> Settings:
    from pywasm_ref.tools.difftest.child import Bounds
    from pywasm_ref.tools.difftest.generate import PROFILES
    from pywasm_ref.tools.difftest.noise import NoBinaryen, program
    from pywasm_ref.tools.difftest.settings import Settings, engines_named
    from pywasm_ref.tools.difftest.work import USUAL, WORK, corpus_files

    work = ("corpus",) if options.corpus else USUAL if options.work is None else engines_named(options.work)
    engines = engines_named(options.engines) if options.engines is not None else ()
    if any(name.startswith("cmd:") for name in engines):
        work = judged_by_commands(work, options.work is not None)
    releases = engines_named(options.features)
    if unknown := [name for name in releases if name not in PROFILES]:
        raise Unusable(f"modules are generated for the releases {', '.join(PROFILES)}, not for {', '.join(unknown)}")
    if unknown := [name for name in work if name not in (*WORK, "corpus")]:
        raise Unusable(f"the kinds of work are {', '.join(WORK)}, not {', '.join(unknown)}")
    if not releases or not work:
        raise Unusable("--features and --work name at least one each")
    if "noise" in work:
        try:
            program()
        except NoBinaryen as error:
            raise Unusable(str(error)) from None
    if options.corpus and not os.path.exists(options.corpus):
        raise Unusable(f"there is no {options.corpus}")
    if options.corpus and not corpus_files(options.corpus):
        raise Unusable(f"there are no modules (.wasm) in {options.corpus}")
    limit = 60.0 if options.time is None and options.count is None and not options.corpus else options.time
    bounds = Bounds(options.patience, options.memory << 20)
    engines = available(bounds) if options.engines is None else present(engines, bounds)
    return Settings(engines, releases, work, options.seed, limit, options.count, options.jobs, options.corpus or "", options.shrink, bounds)


def judged_by_commands(work: tuple[str, ...], wanted: bool) -> tuple[str, ...]:
    """The work of which a command can tell something: it runs exports, and does not say whether a module is valid."""
    from pywasm_ref.tools.difftest.work import BROKEN

    if wanted and (vain := [name for name in work if name in BROKEN]):
        raise Unusable(f"a command runs exports, and does not say whether a module is valid: leave {', '.join(vain)} out of --work")
    return tuple(name for name in work if name not in BROKEN)


def present(names: tuple[str, ...], bounds: Bounds) -> tuple[str, ...]:
    """These engines, all of which must be here."""
    from pywasm_ref.tools.difftest.child import Child, Unavailable
    from pywasm_ref.tools.difftest.peers import kind

    try:
        for name in names:
            kind(name)
    except ValueError as error:
        raise Unusable(str(error)) from None
    if len(names) < 2:
        raise Unusable("at least two engines are needed to differ")
    if len(set(names)) < len(names):
        raise Unusable("each engine stands once; what follows a colon, as in reference:again, makes a second one of it")
    for name in names:
        try:
            with Child(name, bounds) as child:
                child.start()
        except Unavailable as error:
            raise Unusable(str(error)) from None
    return names


def available(bounds: Bounds) -> tuple[str, ...]:
    """Those of the usual engines that are installed."""
    from pywasm_ref.tools.difftest.child import Child, Unavailable

    found, missing = [], []
    for name in DEFAULT:
        try:
            with Child(name, bounds) as child:
                child.start()
            found.append(name)
        except Unavailable as error:
            missing.append(str(error))
    if len(found) < 2:
        raise Unusable(f"there is nothing to compare the reference engine with: {'; '.join(missing)}")
    return tuple(found)


def campaign(settings: Settings, folder: Folder, options: argparse.Namespace) -> Totals:
    from pywasm_ref.tools.difftest.campaign import run as run_campaign

    teller = Teller()
    try:
        with interrupted_by(signal.SIGTERM), pool_of(options) as pool:
            return run_campaign(settings, folder, pool, teller)
    except KeyboardInterrupt:
        teller.progress.clear()
        print("stopped; the same command goes on from here", file=sys.stderr)
        raise
    finally:
        teller.progress.clear()


@contextmanager
def interrupted_by(number: int) -> Iterator[None]:
    """This signal ends what is done here as Ctrl-C does, with nothing left behind."""
    if current_thread() is not main_thread():  # which alone has signals
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


class Teller:
    """Tells of a campaign: of what will be looked for later in a line of its own; of the progress at the bottom of a terminal, or where
    there is none in a line now and then."""

    def __init__(self) -> None:
        self.progress = Progress(0)
        self.next = time.monotonic() + EVERY

    def __call__(self, line: str) -> None:
        if line.startswith("find "):
            self.progress.clear()
            print(line, flush=True)
        elif self.progress.watched:
            self.progress.tell(line)
        elif time.monotonic() >= self.next:
            print(line, file=sys.stderr, flush=True)
            self.next = time.monotonic() + EVERY


def pool_of(options: argparse.Namespace) -> AbstractContextManager[Executor]:
    from pywasm_ref.tools.difftest.pools import cluster_pool, local_pool

    if options.cluster is None:
        return local_pool(options.jobs)
    try:
        return cluster_pool(options.cluster)
    except ImportError as error:
        raise Unusable(str(error)) from None
