"""The top-level forms of a script: where each parenthesised command starts and ends.

Modules are the bulk of a script and are parsed by their own parser; here they are stepped over quickly. A form that cannot be
lexed stays one form, so that the commands after it still run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pywasm_ref.errors import Malformed

_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|;;[^\n\r]*+|\(;|[()]', re.DOTALL)
_COMMENT_MARK = re.compile(r"\(;|;\)")
_SPACE = " \t\n\r"

Form = tuple[int, int]
"""Start and end as character indices."""


def split(text: str) -> Iterator[Form]:
    """The forms of a script in order; anything else that is no space and no comment is a form of its own."""
    pos = start = depth = 0
    while mark := _MARK.search(text, pos):
        if depth == 0:
            yield from _stray(text, pos, mark.start())
        token = mark[0]
        pos = mark.end()
        if token == "(":
            if depth == 0:
                start = mark.start()
            depth += 1
        elif token == ")":
            depth -= 1
            if depth <= 0:
                yield (start, pos) if depth == 0 else (mark.start(), pos)
                depth = 0
        elif token == "(;":
            pos = _end_of_comment(text, pos)
        elif depth == 0 and token[0] == '"':
            yield mark.span()
    yield from [(start, len(text))] if depth else _stray(text, pos, len(text))


def _stray(text: str, start: int, end: int) -> Iterator[Form]:
    """Words between two forms, as a form."""
    words = text[start:end]
    if words.strip(_SPACE):
        yield start + len(words) - len(words.lstrip(_SPACE)), start + len(words.rstrip(_SPACE))


def _end_of_comment(text: str, pos: int) -> int:
    """Just past the `;)` that closes the block comment whose `(;` ends at `pos`; comments nest."""
    opened, depth = pos - 2, 1
    while depth:
        mark = _COMMENT_MARK.search(text, pos)
        if mark is None:
            raise Malformed("unclosed comment", opened)
        depth += 1 if mark[0] == "(;" else -1
        pos = mark.end()
    return pos
