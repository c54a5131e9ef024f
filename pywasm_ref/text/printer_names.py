"""Identifiers for a printed text: the names that a module has, as far as they can be identifiers.

Spec    text/values.html#identifiers
"""

from __future__ import annotations

from pywasm_ref.syntax.modules import IndexNames, Module
from pywasm_ref.syntax.types import ExternType, FuncTypeUse, GlobalType, MemType, StructType, TableType, TagType
from pywasm_ref.text.printer_values import quoted_name

ID_CHARACTERS = frozenset("!#$%&'*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ\\^_`abcdefghijklmnopqrstuvwxyz|~")
LONGEST_IDENTIFIER = 200
"""A name is printed wherever its entry is used; without a limit a text could be as long as its binary squared."""


class Identifiers:
    """An index space as it is printed: the identifier of an entry where it has one, else its number."""

    __slots__ = ("ids",)

    def __init__(self, names: IndexNames, count: int) -> None:
        self.ids: dict[int, str] = {}
        taken: set[str] = set()
        repeats: dict[str, int] = {}
        for index, name in sorted(names.items()):
            if index >= count or not 0 < len(name) <= LONGEST_IDENTIFIER:
                continue
            unique = name
            while unique in taken:
                repeats[name] = repeats.get(name, 0) + 1
                unique = f"{name}#{repeats[name]}"
            taken.add(unique)
            self.ids[index] = identifier(unique)

    def use(self, index: int) -> str:
        return self.ids.get(index) or str(index)

    def bind(self, index: int) -> str:
        """The identifier if there is one, and the number as a comment."""
        found = self.ids.get(index)
        return f"{found} (;{index};)" if found else f"(;{index};)"


def identifier(name: str) -> str:
    return f"${name}" if ID_CHARACTERS.issuperset(name) else f"${quoted_name(name)}"


NO_IDENTIFIERS = Identifiers({}, 0)


class Spaces:
    """The index spaces of a module, and how many entries of each are imported."""

    def __init__(self, module: Module) -> None:
        names = module.names
        self.subtypes = [sub for rec in module.types for sub in rec.subtypes]
        imports = [entry.type for entry in module.imports]
        self.imported_funcs = count(imports, FuncTypeUse)
        self.imported_tables = count(imports, TableType)
        self.imported_mems = count(imports, MemType)
        self.imported_globals = count(imports, GlobalType)
        self.imported_tags = count(imports, TagType)
        self.types = Identifiers(names.types, len(self.subtypes))
        self.funcs = Identifiers(names.funcs, self.imported_funcs + len(module.funcs))
        self.tables = Identifiers(names.tables, self.imported_tables + len(module.tables))
        self.mems = Identifiers(names.mems, self.imported_mems + len(module.mems))
        self.globals = Identifiers(names.globals, self.imported_globals + len(module.globals))
        self.tags = Identifiers(names.tags, self.imported_tags + len(module.tags))
        self.elems = Identifiers(names.elems, len(module.elems))
        self.datas = Identifiers(names.datas, len(module.datas))
        self.fields = {
            index: Identifiers(names.fields[index], len(sub.comp.fields))
            for index, sub in enumerate(self.subtypes)
            if index in names.fields and isinstance(sub.comp, StructType)
        }

    def fields_of(self, index: int) -> Identifiers:
        return self.fields.get(index, NO_IDENTIFIERS)


def count(imports: list[ExternType], kind: type) -> int:
    return sum(isinstance(t, kind) for t in imports)
