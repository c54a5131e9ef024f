"""Modules: their fields, and the abbreviations that stand for several fields.

    parse(text) is read_module(tokenize(text), features)
    read_module_fields(tokens, features, name) -> Module
        for a script: reads from the first field, after `(module $id?`, up to the parenthesis that closes the module (or the end
        of the text), which stays. `name` is the module's identifier, which only names it.

A module is read in three rounds, because its fields may refer to each other in any order: first all identifiers are bound, then
the types are defined, then everything else is read in the order of the text.

Spec    text/modules.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pywasm_ref.features import WASM_3, Features, needs
from pywasm_ref.syntax.modules import Module
from pywasm_ref.text.annotations import Annotations
from pywasm_ref.text.fields import FIELDS, SPACES, TYPE_FIELDS, Draft
from pywasm_ref.text.keywords import origin, words_off
from pywasm_ref.text.lexer import Kind, Tokens
from pywasm_ref.text.names import Context, Space


def read_module(tokens: Tokens, features: Features = WASM_3) -> Module:
    """The whole text: one module in parentheses, or its fields."""
    if tokens.enter("module"):
        module = read_module_fields(tokens, features, tokens.identifier())
        tokens.expect(")")
    else:
        module = read_module_fields(tokens, features)
    if tokens.kind is not Kind.END:
        raise tokens.unexpected("the end of the text")
    return module


def read_module_fields(tokens: Tokens, features: Features = WASM_3, name: str | None = None) -> Module:
    """The fields from here up to the parenthesis that closes the module, which stays."""
    c = Context(tokens, features)
    first = tokens.i
    starts = _bind_all(c)
    end = tokens.i
    _check_words(tokens, first, end, features)
    draft = Draft(c, Annotations(tokens))
    draft.annotations.gather(first, end)
    c.annotated = draft.annotations.names
    tokens.i = first
    c.names.module = c.annotated.pop(first, None)
    for wanted in (TYPE_FIELDS, FIELDS):
        for start in starts:
            read = wanted.get(tokens.texts[start + 1])
            if read is not None:
                tokens.i = start
                read(c, draft)
    tokens.i = end
    draft.annotations.check_all_used()
    return draft.module(name, {*starts, end})


def _check_words(tokens: Tokens, first: int, end: int, features: Features) -> None:
    """The words of features that are off are unknown."""
    off = words_off(features)
    if off.isdisjoint(tokens.texts[first:end]):
        return
    i = next(i for i in range(first, end) if tokens.texts[i] in off)
    word = tokens.texts[i]
    raise tokens.error(f"unknown operator {word}{needs(origin(word))}", tokens.starts[i])


# First round: identifiers


def _bind_all(c: Context) -> list[int]:
    """Bind the identifiers of all fields; the numbers of the tokens that the fields start at."""
    tokens = c.tokens
    starts = []
    while tokens.text == "(":
        start = tokens.i
        bind = _BINDERS.get(tokens.texts[start + 1])
        if bind is None:
            tokens.i = start + 1
            raise tokens.unexpected("a field of a module")
        tokens.i = start + 2
        bind(c, tokens.closing(start))
        starts.append(start)
        end = tokens.closing(start)
        tokens.i = end + (tokens.texts[end] == ")")
    if tokens.text not in (")", ""):
        raise tokens.unexpected("a field of a module")
    return starts


def _bind(space: str, c: Context, end: int) -> None:
    _bind_in(c, getattr(c, space), c.tokens.i)


def _bind_in(c: Context, space: Space, i: int) -> None:
    identifier = c.tokens.texts[i][1:] if c.tokens.kinds[i] is Kind.ID else None
    c.tokens.placed(lambda _: space.bind(identifier), i)


def _bind_with_inline(space: str, segments: str, keyword: str, c: Context, end: int) -> None:
    """A table or memory; what it gives inline counts as a segment."""
    _bind(space, c, end)
    texts, i = c.tokens.texts, c.tokens.i
    while i < end:
        if texts[i] != "(":
            i += 1
            continue
        if texts[i + 1] == keyword:
            getattr(c, segments).bind(None)
        i = c.tokens.closing(i) + 1


def _bind_group(c: Context, end: int) -> None:
    """The members of a recursive group."""
    tokens = c.tokens
    i = tokens.i
    while i < end and tokens.texts[i] == "(":
        if tokens.texts[i + 1] == "type":
            _bind_in(c, c.types, i + 2)
        i = tokens.closing(i) + 1


def _bind_import(c: Context, end: int) -> None:
    """`"module" "name" (kind $id? …`"""
    i = c.tokens.i + 2
    if i + 2 < end and c.tokens.texts[i] == "(" and c.tokens.texts[i + 1] in SPACES:
        _bind_in(c, getattr(c, SPACES[c.tokens.texts[i + 1]]), i + 2)


def _bind_nothing(c: Context, end: int) -> None:
    """A field that is in no index space."""


_BINDERS: dict[str, Callable[[Context, int], None]] = {
    "type": partial(_bind, "types"),
    "rec": _bind_group,
    "import": _bind_import,
    "func": partial(_bind, "funcs"),
    "table": partial(_bind_with_inline, "tables", "elems", "elem"),
    "memory": partial(_bind_with_inline, "mems", "datas", "data"),
    "global": partial(_bind, "globals"),
    "tag": partial(_bind, "tags"),
    "elem": partial(_bind, "elems"),
    "data": partial(_bind, "datas"),
    "export": _bind_nothing,
    "start": _bind_nothing,
}
