"""What is part of a store or an engine at work, and of no use apart from it."""

from __future__ import annotations

from typing import ClassVar, NoReturn, SupportsIndex

from pywasm_ref.embedding import words


class Alive:
    """Something that refuses to be pickled or copied, instead of coming back as a thing that does not work."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied: it belongs to an engine of this process; make it there anew")


class Fixed(Alive):
    """Something whose parts cannot be exchanged, so that Python's collector need not see it."""

    __slots__ = ()
    _what: ClassVar[str]
    _parts: ClassVar[frozenset[str]]

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)
        object.__delattr__(self, name)

    def _refuse(self, name: str) -> None:
        if name in self._parts:
            raise AttributeError(f"what {self._what} is made of cannot be exchanged: {name!r}")


class Home(Alive):
    """What references live in, which is the store; known here so that all that need one can tell it from anything else."""

    __slots__ = ()


def check_store(store: object) -> None:
    """Fails   TypeError  for what is no store"""
    if not isinstance(store, Home):
        raise TypeError(f"a Store is expected, not {words.given(store)}")
