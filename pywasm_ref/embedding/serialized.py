"""Modules as bytes that can be kept: what `Module.serialize` makes and `Module.deserialize` takes.

    8 bytes     magic, and the version of this form
    1 byte      whether there is a key
    32 bytes    of what follows and the byte before: SHA-256, or HMAC-SHA-256 with the key
    fields      each with its length in 8 bytes: engine, its build, features, binary, code

Without a key the binary alone is kept, and is validated again when it is read: a checksum tells damage, and cannot tell who wrote
something. Code that an engine has lowered is trusted when it runs. So it is kept, and believed, only under a key, which whoever writes the
bytes must know. Engine and build are empty where there is no code: such bytes suit every engine.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import Engine, KeepableModule, KeepingEngine, Module
from pywasm_ref.errors import Malformed
from pywasm_ref.features import Feature, Features

MAGIC = b"\0pywasm\x01"
KEYED, PLAIN = b"K", b"P"
DIGEST = 32
HEAD = len(MAGIC) + 1 + DIGEST
FIELDS = 5
SHORTEST_KEY = 16
FEATURES = {feature.name: feature for feature in Feature}

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Kept:
    """What stood in the bytes."""

    features: Features
    binary: bytes
    code: memoryview
    """Of no length where the binary is to be read."""


def pack(module: Module, key: Bytes | None) -> bytes:
    """A valid module as bytes; its lowered code too, if there is a key and the engine has such code.

    Fails   ValueError for a key that is too short
    """
    mark = PLAIN if key is None else KEYED
    code = module.lowered() if key is not None and isinstance(module, KeepableModule) else b""
    name, build = (module.engine.name, module.engine.build) if code and isinstance(module.engine, KeepingEngine) else ("", "")
    features = " ".join(sorted(feature.name for feature in module.features))
    parts = [name.encode(), build.encode(), features.encode(), module.binary, code]
    fields = [piece for part in parts for piece in (len(part).to_bytes(8, "little"), part)]
    return b"".join((MAGIC, mark, _digest(key, mark, fields), *fields))


def unpack(data: Bytes, key: Bytes | None, engine: Engine) -> Kept:
    """The same again, if the bytes are what `pack` made, with the same key, and suit the engine.

    Fails   Malformed   for all others; ValueError for a key that is too short
    """
    view = _view(data)
    if view[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise Malformed("not a serialized module")
    if view[: len(MAGIC)] != MAGIC:
        raise Malformed("a module that was serialized by another version")
    mark = bytes(view[len(MAGIC) : len(MAGIC) + 1])
    if mark == KEYED and key is None:
        raise Malformed("a module that was serialized with a key: give the key")
    if mark == PLAIN and key is not None:
        raise Malformed("a module that was serialized without a key: nobody vouches for it")
    expected = _digest(key, mark, [view[HEAD:]])
    if len(view) < HEAD or not hmac.compare_digest(expected, bytes(view[HEAD - DIGEST : HEAD])):
        raise Malformed("a serialized module that is damaged" + (", or was serialized with another key" if key is not None else ""))
    fields = _fields(view[HEAD:])
    if mark == PLAIN and len(fields[-1]):
        raise Malformed("not a serialized module: it holds code that nobody vouches for")
    return _checked(fields, engine)


def _digest(key: Bytes | None, mark: bytes, parts: Sequence[Bytes]) -> bytes:
    if key is None:
        state = hashlib.sha256(mark)
    elif not isinstance(key, Bytes):
        raise TypeError(f"a key is bytes, not {words.given(key)}")
    elif len(key) < SHORTEST_KEY:
        raise ValueError(f"a key has {SHORTEST_KEY} bytes at least, not {len(key)}")
    else:
        state = hmac.new(bytes(key), mark, "sha256")  # type: ignore[assignment]
    for part in parts:
        state.update(part)
    return state.digest()


def _view(data: Bytes) -> memoryview:
    if not isinstance(data, Bytes):
        raise TypeError(f"a serialized module is bytes, not {words.given(data)}")
    return memoryview(data).cast("B")


def _fields(view: memoryview) -> list[memoryview]:
    """The bytes have the right digest, so that this fails only for what another program made."""
    found: list[memoryview] = []
    while len(found) < FIELDS:
        length = int.from_bytes(view[:8], "little")
        if len(view) < 8 or length > len(view) - 8:
            raise Malformed("not a serialized module: it ends too early")
        found.append(view[8 : 8 + length])
        view = view[8 + length :]
    if len(view):
        raise Malformed("not a serialized module: it goes on behind its end")
    return found


def _checked(fields: list[memoryview], engine: Engine) -> Kept:
    name, build, features = (bytes(field).decode("utf-8", "replace") for field in fields[:3])
    if name and name != engine.name:
        raise Malformed(f"a module that was serialized for the engine {name}, not {engine.name}")
    if name and not (isinstance(engine, KeepingEngine) and build == engine.build):
        raise Malformed(f"a module that was serialized by another build of the engine {name}")
    unknown = [feature for feature in features.split() if feature not in FEATURES]
    if unknown:
        raise Malformed(f"a module that was serialized with features that are not known: {', '.join(unknown)}")
    return Kept(frozenset(FEATURES[feature] for feature in features.split()), bytes(fields[3]), fields[4])
