"""Taking back from a guest that runs whatever a policy does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pywasm_ref.capabilities.filesystem.nodes import Tree
from pywasm_ref.capabilities.network import Connection, Destination
from pywasm_ref.capabilities.policy import Dir, Policy

if TYPE_CHECKING:
    from pywasm_ref.wasi.context import Grant, Wasi


def narrow(wasi: Wasi, policy: Policy) -> None:
    """Fails   ValueError where the policy has more than there is"""
    wider = sorted(set(more_than_lent(wasi, policy)))
    if wider:
        raise ValueError(f"a guest that runs cannot be given more: {', '.join(wider)}")
    wasi.env = [variable for variable in wasi.env if variable in variables(policy)]
    for grant in wasi.grants():
        if not is_kept(grant, policy):
            grant.access.revoke()
        elif isinstance(grant.thing, Tree):
            narrow_tree(grant.thing, dir_in(policy, grant.name))
    wasi.descriptors.reconsider()


def more_than_lent(wasi: Wasi, policy: Policy) -> Iterator[str]:
    """What the policy has and the guest does not."""
    lent = {(grant.kind, grant.name): grant for grant in wasi.grants() if not grant.access.revoked}
    args = [arg.encode(errors="surrogateescape") for arg in policy.args]
    if args and (("args", "args") not in lent or wasi.args[-len(args) :] != args):
        yield "args"
    if policy.env and (("env", "env") not in lent or not variables(policy) <= set(wasi.env)):
        yield "env"
    wanted = [*(("stream", name) for name in policy.streams), *(("socket", name) for name in policy.listen)]
    yield from (name for kind, name in wanted if (kind, name) not in lent)
    yield from (entry.guest for entry in policy.dirs if not has(lent.get(("dir", entry.guest)), entry))


def has(grant: Grant | None, entry: Dir) -> bool:
    """Whether a directory was lent, for writing if that is wanted, and with a quota that is no smaller."""
    if grant is None or (entry.mode != "read" and grant.access.readonly):
        return False
    quota = grant.thing.quota if isinstance(grant.thing, Tree) else None
    return quota is None or quota.allows(entry.bytes, entry.files)


def is_kept(grant: Grant, policy: Policy) -> bool:
    """Whether the policy has it."""
    if grant.kind == "socket":
        to = grant.thing.to if isinstance(grant.thing, Connection) else None
        return grant.name in policy.listen or (to is not None and any(Destination.parse(text).covers(*to) for text in policy.connect))
    kept = {
        "args": bool(policy.args),
        "env": bool(policy.env),
        "stream": grant.name in policy.streams,
        "dir": any(entry.guest == grant.name for entry in policy.dirs),
    }
    return kept.get(grant.kind, True)


def dir_in(policy: Policy, guest: str) -> Dir:
    return next(entry for entry in policy.dirs if entry.guest == guest)


def narrow_tree(tree: Tree, entry: Dir) -> None:
    if entry.mode == "read":
        tree.access.make_readonly()
    tree.limit(entry.bytes, entry.files)


def variables(policy: Policy) -> set[bytes]:
    return {f"{name}={value}".encode(errors="surrogateescape") for name, value in policy.env.items()}
