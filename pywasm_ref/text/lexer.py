"""Tokens: a text is cut once into parallel lists, and a cursor walks over them.

    tokens = tokenize(text)            never fails: what cannot be a token is met by the cursor
    tokens.text, tokens.kind           the current token; "" and Kind.END past the last one
    tokens.at                          its character index
    tokens.take()                      its text, and step over it
    tokens.accept(word) -> bool        step over it if it is that word
    tokens.expect(word)                … or fail
    tokens.opens(word) -> bool         whether "(" and then that word stand here; `tokens.enter(word)` also steps over both
    tokens.string() -> bytes           a string literal; `tokens.name() -> str` one that must be UTF-8
    tokens.identifier() -> str | None  an optional `$id`, without the `$`; `$"quoted"` is the same as `$quoted`
    tokens.natural(bits) -> int        an unsigned literal; `tokens.number(read)` any other, by a reader of `values.py`
    tokens.error(message)              a Malformed that points here; `tokens.unexpected()` the usual one, to be raised
    tokens.closing(i) -> int           the number of the token that closes the parenthesis at token i
    tokens.i                           the number of the current token; may be set, to go back or ahead

Parentheses and keywords are recognised by their text alone: string literals keep their quotes and identifiers their `$`.
Annotations are no tokens; they lie in `tokens.annotations`, each with the number of the token that it stands before.

Bytes that need not be UTF-8 are given to the lexer as `source_text(data)`.

Spec    text/lexical.html
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from pywasm_ref.errors import Malformed
from pywasm_ref.source import Source
from pywasm_ref.text import values
from pywasm_ref.text.keywords import KEYWORDS
from pywasm_ref.text.spelling import near

_T = TypeVar("_T")


class Kind(Enum):
    OPEN = "("
    CLOSE = ")"
    KEYWORD = "keyword"
    ID = "identifier"
    NAT = "unsigned integer"
    STRING = "string"
    WORD = "other number or reserved word"
    ANNOTATION = "(@"
    PROBLEM = "not a token"
    END = "end of text"

    __hash__ = object.__hash__


_IDCHAR = r"0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~"
_SURROGATES = r"\ud800-\udfff"  # what bytes that are not UTF-8 come as
_CHARACTERS = (
    rf'(?:[^"\\\x00-\x1f\x7f{_SURROGATES}]++'
    r"""|\\(?:[nrt\\'"]|[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]++(?:_[0-9A-Fa-f]++)*+\}))*+"""
)
_STRING = f'"{_CHARACTERS}"'
_NAT = r"(?:0x[0-9A-Fa-f]++(?:_[0-9A-Fa-f]++)*+|[0-9]++(?:_[0-9]++)*+)"

_TOKEN = re.compile(
    rf"""[ \t\n\r]*+(?:
      (\()(?![;@])
    | (\))
    | ([a-z][{_IDCHAR}]*+)(?!")
    | (\$[{_IDCHAR}]++)(?!")
    | ({_NAT})(?![{_IDCHAR}"])
    | ({_STRING})(?![{_IDCHAR}"])
    | (;;[^\n\r{_SURROGATES}]*+)
    | (\${_STRING})(?![{_IDCHAR}"])
    | ((?:[{_IDCHAR}]++|{_STRING})++|[,;\[\]{{}}])
    | (\(;)
    | (\(@(?:[{_IDCHAR}]++|{_STRING})?)
    )""",
    re.VERBOSE,
)
_GROUPS = (Kind.PROBLEM, Kind.OPEN, Kind.CLOSE, Kind.KEYWORD, Kind.ID, Kind.NAT, Kind.STRING)
_LINE_COMMENT, _QUOTED_ID, _WORD, _BLOCK_COMMENT, _ANNOTATION = 7, 8, 9, 10, 11

_SPACE = re.compile(r"[ \t\n\r]*+")
_UNFINISHED_STRING = re.compile(f'"{_CHARACTERS}')
_COMMENT_MARK = re.compile(rf"\(;|;\)|[{_SURROGATES}]")

Item = tuple[Kind, str, int]
"""A token inside an annotation: kind, text, place."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """`(@name items)`; `before` is the number of the token that follows it, `items` leaves out the outer parentheses."""

    name: str
    at: int
    before: int
    items: tuple[Item, ...]


@dataclass(slots=True)
class Tokens:
    """The tokens of a text, and a cursor; see the top of this file."""

    source: Source
    texts: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("I"))
    closes: array[int] = field(default_factory=lambda: array("I"))
    annotations: list[Annotation] = field(default_factory=list)
    problem: Malformed | None = None
    i: int = 0

    @property
    def text(self) -> str:
        return self.texts[self.i]

    @property
    def kind(self) -> Kind:
        return self.kinds[self.i]

    @property
    def at(self) -> int:
        return self.starts[self.i]

    def take(self) -> str:
        """The text of the current token, which is stepped over."""
        text = self.texts[self.i]
        if text:
            self.i += 1
        return text

    def accept(self, word: str) -> bool:
        """Step over the token if it is that word."""
        if self.texts[self.i] != word:
            return False
        self.i += 1
        return True

    def expect(self, word: str) -> None:
        """Step over the token, which must be that word."""
        if self.texts[self.i] != word:
            raise self.unexpected(f"`{word}`")
        self.i += 1

    def opens(self, word: str) -> bool:
        """Whether a parenthesis opens here, with that word in it."""
        i = self.i
        return self.texts[i] == "(" and self.texts[i + 1] == word

    def enter(self, word: str) -> bool:
        """Step over the parenthesis and the word, if both are here."""
        if not self.opens(word):
            return False
        self.i += 2
        return True

    def closing(self, i: int) -> int:
        """The number of the token that closes the parenthesis at token `i`; the end of the text where nothing does."""
        return self.closes[i]

    def identifier(self) -> str | None:
        """An optional `$id`, without the `$`."""
        i = self.i
        if self.kinds[i] is not Kind.ID:
            return None
        self.i += 1
        return self.texts[i][1:]

    def string(self) -> bytes:
        """The bytes of a string literal."""
        i = self.i
        if self.kinds[i] is not Kind.STRING:
            raise self.unexpected("a string")
        self.i += 1
        return self.placed(values.string, i)

    def strings(self) -> bytes:
        """Any number of string literals, joined."""
        parts = []
        while self.kinds[self.i] is Kind.STRING:
            parts.append(self.string())
        return b"".join(parts)

    def name(self) -> str:
        """A string literal that must be UTF-8."""
        i = self.i
        if self.kinds[i] is not Kind.STRING:
            raise self.unexpected("a string")
        self.i += 1
        return self.placed(lambda text: values.utf8(values.string(text)), i)

    def natural(self, bits: int) -> int:
        """An unsigned integer literal below 2**bits."""
        i = self.i
        if self.kinds[i] is not Kind.NAT:
            raise self.unexpected("an unsigned integer")
        self.i += 1
        return self.placed(lambda text: values.natural(text, bits), i)

    def number(self, read: Callable[[str], int]) -> int:
        """A number literal as `read` understands it."""
        if not self.is_number():
            raise self.unexpected("a number")
        self.i += 1
        return self.placed(read, self.i - 1)

    def numbers(self) -> list[str]:
        """The texts of all number literals that follow in a row."""
        first = self.i
        while self.is_number():
            self.i += 1
        return self.texts[first : self.i]

    def is_number(self) -> bool:
        """Whether a number literal of any kind stands here."""
        kind = self.kinds[self.i]
        return kind is Kind.NAT or (kind in (Kind.WORD, Kind.KEYWORD) and values.is_number(self.texts[self.i]))

    def check_known(self) -> None:
        """Fail if no token like this one can stand anywhere; worse than any mistake made with those before it."""
        if self.kinds[self.i] is Kind.PROBLEM or is_unknown(self.texts[self.i], self.kinds[self.i]):
            raise self.unexpected()

    def placed(self, read: Callable[[str], _T], i: int) -> _T:
        """What `read` makes of token `i`; where it fails, that is the place."""
        try:
            return read(self.texts[i])
        except Malformed as error:
            raise self.error(error.message, self.starts[i]) from None

    def error(self, message: str, at: int | None = None) -> Malformed:
        """A failure that points to the current token, or to a place of its own."""
        return Malformed(message, self.starts[self.i] if at is None else at, self.source)

    def unexpected(self, wanted: str = "") -> Malformed:
        """The failure of a token that must not stand here, in the words that fit it, and what is wanted where that is one thing."""
        text, kind = self.texts[self.i], self.kinds[self.i]
        if kind is Kind.PROBLEM and self.problem:
            return self.problem
        if not is_unknown(text, kind):
            return self.error(f"unexpected token; {wanted} is expected" if wanted else "unexpected token")
        meant = near(text, sorted(KEYWORDS))
        return self.error(f"unknown operator {text}{f'; did you mean {meant}?' if meant else ''}")


def is_unknown(text: str, kind: Kind) -> bool:
    """Whether a token is a word of no meaning, in any place."""
    if kind is Kind.KEYWORD:
        word, equals, number = text.partition("=")
        known = word in ("offset", "align") and values.is_nat(number) if equals else text in KEYWORDS
        return not known and not values.is_number(text)
    return kind is Kind.WORD and not values.is_number(text)


def source_text(data: bytes) -> str:
    """Bytes as a text that the lexer takes; what is not UTF-8 in them is found there."""
    return data.decode("utf-8", "surrogateescape")


def tokenize(text: str | Source) -> Tokens:
    """The tokens of a text, which may come with a name.

    Something that cannot be a token ends the list; the cursor fails there, not before.
    """
    source = text if isinstance(text, Source) else Source("<text>", text)
    tokens = Tokens(source)
    try:
        _cut(_text_of(source), tokens)
    except Malformed as problem:
        tokens.problem = problem
        _append(tokens, Kind.PROBLEM, "", problem.at or 0)
    # Two, so that one may always look one token ahead.
    for _ in range(2):
        _append(tokens, Kind.END, "", len(source.data))
    _close_the_rest(tokens)
    return tokens


def _text_of(source: Source) -> str:
    return source.data if isinstance(source.data, str) else source_text(source.data)


def _append(tokens: Tokens, kind: Kind, text: str, at: int) -> None:
    tokens.kinds.append(kind)
    tokens.texts.append(text)
    tokens.starts.append(at)
    tokens.closes.append(0)


def _cut(text: str, tokens: Tokens) -> None:
    """Fill the lists."""
    texts, kinds, starts, closes = tokens.texts, tokens.kinds, tokens.starts, tokens.closes
    open_parentheses: list[int] = []
    position, match = 0, _TOKEN.match
    while token := match(text, position):
        group = token.lastindex or 0
        position = token.end()
        if group == 1:
            open_parentheses.append(len(texts))
        elif group == 2 and open_parentheses:
            closes[open_parentheses.pop()] = len(texts)
        elif group >= len(_GROUPS):
            position = _rare(text, token, tokens)
            continue
        texts.append(token[group])
        kinds.append(_GROUPS[group])
        starts.append(token.start(group))
        closes.append(0)
    position = _after_space(text, position)
    if position < len(text):
        raise _no_token(text, position, "misplaced")


def _rare(text: str, token: re.Match[str], tokens: Tokens) -> int:
    """A comment, an annotation or an unusual token; the position after it."""
    group = token.lastindex or 0
    at = token.start(group)
    if group == _BLOCK_COMMENT:
        return _comment_end(text, at)
    if group == _ANNOTATION:
        return _annotation(text, token, tokens)
    if group != _LINE_COMMENT:
        _append(tokens, *_word(token[group], group, at))
    return token.end()


def _word(text: str, group: int, at: int) -> Item:
    """An identifier in quotes, or a word that is a number or reserved."""
    if group == _QUOTED_ID:
        return Kind.ID, "$" + _quoted(text[1:], at, "empty identifier"), at
    if text == "$":
        raise Malformed("empty identifier", at)
    return Kind.WORD, text, at


def _quoted(text: str, at: int, empty: str) -> str:
    """The name in an identifier's or annotation's quotes."""
    try:
        name = values.utf8(values.string(text))
    except Malformed as error:
        raise Malformed(error.message, at) from None
    if not name:
        raise Malformed(empty, at)
    return name


def _comment_end(text: str, at: int) -> int:
    """The position after the block comment that starts here; comments nest."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, at):
        if mark[0] == "(;":
            depth += 1
        elif mark[0] == ";)":
            depth -= 1
        else:
            raise Malformed("malformed UTF-8 encoding", mark.start())
        if depth == 0:
            return mark.end()
    raise Malformed("unclosed comment", at)


def _annotation(text: str, opening: re.Match[str], tokens: Tokens) -> int:
    """Read an annotation, and those inside it; the position after it."""
    at = opening.start(_ANNOTATION)
    name = _annotation_name(opening)
    items: list[Item] = []
    depth, position = 1, opening.end()
    while token := _TOKEN.match(text, position):
        group = token.lastindex or 0
        position = token.end()
        if group == _BLOCK_COMMENT:
            position = _comment_end(text, token.start(group))
        elif group != _LINE_COMMENT:
            items.extend(_items(token, group))
            depth += (group in (1, _ANNOTATION)) - (group == 2)
        if depth == 0:
            tokens.annotations.append(Annotation(name, at, len(tokens.texts), tuple(items[:-1])))
            return position
    position = _after_space(text, position)
    raise _no_token(text, position, "illegal") if position < len(text) else Malformed("unclosed annotation", at)


def _items(token: re.Match[str], group: int) -> list[Item]:
    """A token as it stands in an annotation, where `(@` need not be followed by a name."""
    text, at = token[group], token.start(group)
    if group < len(_GROUPS):
        return [(_GROUPS[group], text, at)]
    if group != _ANNOTATION:
        return [_word(text, group, at)]
    if text == "(@":
        return [(Kind.OPEN, "(", at), (Kind.WORD, "@", at + 1)]
    return [(Kind.ANNOTATION, _annotation_name(token), at)]


def _annotation_name(opening: re.Match[str]) -> str:
    """The identifier after `(@`, which may be quoted."""
    name, at = opening[_ANNOTATION][2:], opening.start(_ANNOTATION)
    if not name:
        raise Malformed("empty annotation id", at)
    return _quoted(name, at, "empty annotation id") if name[0] == '"' else name


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _no_token(text: str, at: int, adjective: str) -> Malformed:
    """What is wrong with the characters here, which are no token."""
    if text[at] == '"':
        return _no_string(text, at)
    if "\ud800" <= text[at] <= "\udfff":
        return Malformed("malformed UTF-8 encoding", at)
    if adjective == "illegal":
        return Malformed("illegal character", at)
    return Malformed("misplaced control character" if text[at] < " " or text[at] == "\x7f" else "misplaced unicode character", at)


def _no_string(text: str, at: int) -> Malformed:
    """What is wrong with a string literal that does not come to its end."""
    part = _UNFINISHED_STRING.match(text, at)
    end = part.end() if part else at
    stop = text[end : end + 1]
    if stop == "\\":
        return Malformed("illegal escape", end)
    if "\ud800" <= stop <= "\udfff":
        return Malformed("malformed UTF-8 encoding", end)
    if stop in ("", "\n", "\r"):
        return Malformed("unclosed string literal", at)
    return Malformed("illegal control character in string literal", end)


def _close_the_rest(tokens: Tokens) -> None:
    """A parenthesis that nothing closes reaches to the end of the text."""
    end = len(tokens.texts) - 2
    tokens.closes = array("I", (close or end for close in tokens.closes))
