"""A program that nobody trusts, with a policy: what it may reach is written down, explained, counted and taken back."""

from pathlib import Path

import pywasm_ref as wasm
from pywasm_ref import wasi
from pywasm_ref.capabilities import MemoryTree, Policy

HERE = Path(__file__).parent / "wasi"

policy = Policy.from_toml(f"""
args = ["greeting.txt", "/etc/passwd"]
clock = "fake"
random = 7

[limits]
memory_pages = 512
timeout = 30

[[dir]]
guest = "/"
host = "{(HERE / "lent").as_posix()}"
mode = "read"
""")
print(policy.explain().replace(HERE.as_posix(), "…"))

uses: dict[str, int] = {}


def count(event: wasi.Event) -> None:
    uses[event.function] = uses.get(event.function, 0) + 1


program = wasm.Module(HERE / "look.wasm")
result = wasi.run(program, policy=policy, capture=True, audit=count)
print(result.stdout.decode(), result.stderr.decode(), f"exit code {result.exit_code}", sep="")
print(f"it opened {uses['path_open']} files, and wrote {uses['fd_write']} times")

# A tree in memory, shared by a guest and the host, which takes it back while the guest has it.
tree = MemoryTree({"note.txt": "remember"})
guest = wasi.Guest(program, args=["note.txt"], dirs={"/": tree}, capture=True)
guest.wasi.revoke("/")
print(guest.run().stderr.decode(), end="")
print(guest.result().refusals[0].refused)

# Prints:
#   arguments: greeting.txt /etc/passwd
#   no environment
#   no stream of this process
#   read …/lent as /
#   no network
#   clocks that move only when they are read
#   random bytes of the seed 7
#   memory_pages: at most 512
#   timeout: at most 30
#   greeting.txt: Hello from a file that was lent.
#   /etc/passwd: No such file or directory
#   exit code 1
#   it opened 2 files, and wrote 2 times
#   note.txt: Capabilities insufficient
#   a tree in memory was taken back
