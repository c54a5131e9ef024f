"""What a script consists of, as data.

Every command knows where it stands (`at`, a character index of the script) and how many top-level forms it was written with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.types import AbsHeapType, HeapType, NumType, VecType
from pywasm_ref.text.lexer import Tokens

# Modules in a script: decoded or parsed when their command runs, so that an assertion can see them fail


@dataclass(frozen=True, slots=True)
class Textual:
    """A module written out in the script: its fields start at token `i`; `at` is where the first token stands in the script."""

    tokens: Tokens
    i: int
    at: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """`(module binary …)`"""

    data: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """`(module quote …)`: bytes, since they need not be UTF-8."""

    text: bytes
    at: int


Definition = Textual | Encoded | Quoted


@dataclass(frozen=True, slots=True)
class ModuleName:
    """A module defined before; the latest one when `name` is None."""

    name: str | None


# Literals and patterns


@dataclass(frozen=True, slots=True)
class Number:
    """Any number or vector, to the bit."""

    type: NumType | VecType
    bits: int


@dataclass(frozen=True, slots=True)
class Null:
    """`heap` is None where any null will do; an index stands for some type of a module."""

    heap: HeapType | None


@dataclass(frozen=True, slots=True)
class Host:
    """`(ref.host n)`: a reference below `any` that only the host can make."""

    number: int


@dataclass(frozen=True, slots=True)
class Extern:
    """`(ref.extern n)`: the same, as an external reference."""

    number: int


Literal = Number | Null | Host | Extern


class Nan(Enum):
    """Canonical: only the quiet bit of the payload is set; arithmetic: the quiet bit is."""

    CANONICAL = "nan:canonical"
    ARITHMETIC = "nan:arithmetic"


@dataclass(frozen=True, slots=True)
class Lanes:
    """A number of one lane or a vector of several; each lane is given by its bits or by a class of NaNs."""

    type: NumType | VecType
    width: int
    lanes: tuple[int | Nan, ...]


@dataclass(frozen=True, slots=True)
class RefOf:
    """Any reference that is not null and has this heap type: `(ref.struct)`, `(ref.func)`, …"""

    heap: AbsHeapType


@dataclass(frozen=True, slots=True)
class Either:
    patterns: tuple[Pattern, ...]


Pattern = Number | Null | Host | Extern | Lanes | RefOf | Either


# Actions


@dataclass(frozen=True, slots=True)
class Invoke:
    instance: str | None
    name: str
    args: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Get:
    instance: str | None
    name: str


Action = Invoke | Get


# Commands


@dataclass(frozen=True, slots=True)
class Command:
    at: int
    forms: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class DefineModule(Command):
    """`(module …)`: defines and, unless it says `definition`, instantiates under the same name."""

    name: str | None
    module: Definition
    instantiate: bool


@dataclass(frozen=True, slots=True)
class InstantiateModule(Command):
    """`(module instance $name $module)`"""

    name: str | None
    module: ModuleName


@dataclass(frozen=True, slots=True)
class Register(Command):
    """`(register "name" $instance)`"""

    name: str
    instance: str | None


@dataclass(frozen=True, slots=True)
class Act(Command):
    action: Action


@dataclass(frozen=True, slots=True)
class AssertReturn(Command):
    action: Action
    results: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class AssertTrap(Command):
    """The action, or the instantiation of the module, traps."""

    subject: Action | Definition | ModuleName
    message: str


@dataclass(frozen=True, slots=True)
class AssertException(Command):
    action: Action


@dataclass(frozen=True, slots=True)
class AssertExhaustion(Command):
    action: Action
    message: str


@dataclass(frozen=True, slots=True)
class AssertMalformed(Command):
    """Also `assert_malformed_custom`, about a custom section or an annotation."""

    module: Definition
    message: str


@dataclass(frozen=True, slots=True)
class AssertInvalid(Command):
    """Also `assert_invalid_custom`."""

    module: Definition
    message: str


@dataclass(frozen=True, slots=True)
class AssertUnlinkable(Command):
    module: Definition | ModuleName
    message: str


@dataclass(frozen=True, slots=True)
class Unreadable(Command):
    """A form that is no command; running it fails with the parser's error, and the script goes on."""

    error: WasmError
