"""Annotations that mean something: custom sections, names, branch hints. All others are comments.

Spec    appendix/custom.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pywasm_ref.errors import Invalid, Malformed
from pywasm_ref.syntax.modules import BranchHint, Custom, Func
from pywasm_ref.text import values
from pywasm_ref.text.lexer import Annotation, Item, Kind, Tokens

BRANCH_HINT = "metadata.code.branch_hint"
DATA_COUNT = "data_count"
"""Ours: the binary has a data count section although no code needs one. Other readers pass it over."""

# The order of sections in a binary; a tag section stands between memories and globals, a data count before code.
_SECTIONS = ("type", "import", "func", "table", "memory", "tag", "global", "export", "start", "elem", "datacount", "code", "data")
_IDS = dict(zip(_SECTIONS, (1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11), strict=True))
_FIRST, _LAST = 0, len(_SECTIONS) - 1


@dataclass(slots=True)
class Annotations:
    """The annotations of one module, each kind where it is looked for: by the number of the token that follows."""

    tokens: Tokens
    customs: list[Annotation] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    name_places: dict[int, int] = field(default_factory=dict)
    hints: dict[int, tuple[int, int]] = field(default_factory=dict)
    data_count: bool = False

    def gather(self, first: int, last: int) -> None:
        """Sort out what stands before the tokens `first` to `last`."""
        for annotation in self.tokens.annotations:
            if not first <= annotation.before <= last:
                continue
            if annotation.name == "custom":
                self.customs.append(annotation)
            elif annotation.name == "name":
                self._name(annotation, first)
            elif annotation.name == BRANCH_HINT:
                self._hint(annotation)
            elif annotation.name == DATA_COUNT:
                self.data_count = True

    def _name(self, annotation: Annotation, first: int) -> None:
        at = annotation.at
        if annotation.before in self.names:
            of = "module" if annotation.before == first else "function"
            raise self.tokens.error(f"@name annotation: multiple {of} names", at)
        if not annotation.items or annotation.items[0][0] is not Kind.STRING:
            raise self.tokens.error("@name annotation: string expected", at)
        self._nothing_but(annotation.items[1:], "@name")
        self.names[annotation.before] = self._utf8(annotation.items[0], "")
        self.name_places[annotation.before] = at

    def _hint(self, annotation: Annotation) -> None:
        at, prefix = annotation.at, f"@{BRANCH_HINT} annotation"
        if any(kind is not Kind.STRING for kind, _, _ in annotation.items):
            raise self.tokens.error(f"{prefix}: unexpected token", at)
        payload = b"".join(values.string(text) for _, text, _ in annotation.items)
        if payload not in (b"\0", b"\1"):
            raise self.tokens.error(f"{prefix}: invalid hint value", at)
        if annotation.before in self.hints:
            raise self.tokens.error(f"{prefix}: duplicate annotation", at)
        self.hints[annotation.before] = (payload[0], at)

    def _nothing_but(self, rest: tuple[Item, ...], name: str) -> None:
        if rest:
            raise self.tokens.error(f"{name} annotation: unexpected token", rest[0][2])

    def _utf8(self, item: Item, prefix: str) -> str:
        try:
            return values.utf8(values.string(item[1]))
        except Malformed as error:
            raise self.tokens.error(prefix + error.message, item[2]) from None

    # Custom sections

    def custom_sections(self, field_starts: set[int]) -> tuple[Custom, ...]:
        """The sections in the order of their places; annotations of them stand between fields only.

        Spec    appendix/custom.html#custom-annotations
        """
        placed = []
        for annotation in self.customs:
            key, custom = self._custom(annotation)
            if annotation.before not in field_starts:
                raise self.tokens.error("misplaced @custom annotation", annotation.at)
            placed.append((key, custom))
        return tuple(custom for _, custom in sorted(placed, key=lambda pair: pair[0]))

    def _custom(self, annotation: Annotation) -> tuple[int, Custom]:
        items = annotation.items
        if not items or items[0][0] is not Kind.STRING:
            raise self.tokens.error("@custom annotation: missing section name", annotation.at)
        name = self._utf8(items[0], "@custom annotation: ")
        position, items = self._position(items[1:], annotation.at)
        strings = 0
        while strings < len(items) and items[strings][0] is Kind.STRING:
            strings += 1
        self._nothing_but(items[strings:], "@custom")
        data = b"".join(values.string(text) for _, text, _ in items[:strings])
        # Between two sections come first those after the one, then those before the other.
        section = (position + 1) // 2 - 1
        return position, Custom(name, data, _IDS[_SECTIONS[section]] if section >= 0 else 0)

    def _position(self, items: tuple[Item, ...], at: int) -> tuple[int, tuple[Item, ...]]:
        """A `(before section)` or `(after section)`, counted in half sections, and the items after it."""
        if not items or items[0][0] is not Kind.OPEN:
            return 2 * _LAST + 1, items
        close = next((i for i, item in enumerate(items) if item[0] is Kind.CLOSE), len(items))
        words = [text for _, text, _ in items[1:close]]
        if not words or words[0] not in ("before", "after"):
            raise self.tokens.error("@custom annotation: malformed placement", at)
        where = {"first": _FIRST, "last": _LAST, **{section: i for i, section in enumerate(_SECTIONS)}}
        if len(words) < 2 or words[1] not in where:
            raise self.tokens.error("@custom annotation: malformed section kind", at)
        self._nothing_but(items[3:close], "@custom")
        return 2 * where[words[1]] + (words[0] == "after"), items[close + 1 :]

    # Branch hints

    def branch_hints(self, x: int, func: Func, first: int, last: int) -> list[BranchHint]:
        """The hints in function `x`, which the tokens `first` to `last` enclose; they are used up.

        Fails   Invalid "… invalid target"  where the instruction after the hint is no `if` or `br_if`
        """
        mine = [before for before in self.hints if first < before <= last]
        numbers = {at: number for number, at in enumerate(func.body.places)} if mine else {}
        return [self._branch_hint(x, before, numbers) for before in mine]

    def _branch_hint(self, x: int, before: int, numbers: dict[int, int]) -> BranchHint:
        hint, at = self.hints.pop(before)
        tokens = self.tokens
        keyword = before + (tokens.texts[before] == "(")
        number = numbers.get(tokens.starts[keyword])
        if number is None:
            raise tokens.error(f"@{BRANCH_HINT} annotation: invalid placement", at)
        if tokens.texts[keyword] not in ("if", "br_if"):
            raise Invalid(f"@{BRANCH_HINT} annotation: invalid target", at, tokens.source)
        return x, number, hint

    def check_all_used(self) -> None:
        """Names and hints that nothing asked for stand in the wrong place."""
        for before in self.names:
            raise self.tokens.error("misplaced @name annotation", self.name_places[before])
        for _, at in self.hints.values():
            raise self.tokens.error(f"@{BRANCH_HINT} annotation: not in a function", at)
