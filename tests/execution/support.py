"""Modules from text, brought to life in a store: what the tests of this folder begin with."""

from collections.abc import Sequence
from typing import Any

from pywasm_ref.execution.machine import invoke
from pywasm_ref.execution.modules import instantiate
from pywasm_ref.execution.runtime import ExternInst, FuncInst, HostFunc, ModuleInst, Store
from pywasm_ref.features import ALL
from pywasm_ref.syntax.types import DefType, FuncType, ValType
from pywasm_ref.text import parse
from pywasm_ref.validation import validate
from pywasm_ref.validation.types import functype_deftype


def start(text: str, *imports: ExternInst, store: Store | None = None) -> ModuleInst:
    """An instance of a valid module."""
    module = parse(text, ALL)
    validate(module, ALL)
    return instantiate(store or Store(), module, imports)


def call(inst: ModuleInst, name: str, *args: Any, store: Store | None = None) -> list[Any]:
    """The results of an exported function."""
    func = inst.exports[name]
    assert isinstance(func, FuncInst | HostFunc)
    return invoke(store or Store(), func, args)


def run(text: str, name: str, *args: Any, store: Store | None = None) -> list[Any]:
    """The results of an exported function of a module without imports."""
    store = store or Store()
    return call(start(text, store=store), name, *args, store=store)


def signature(params: Sequence[ValType] = (), results: Sequence[ValType] = ()) -> DefType:
    """The type of a host function."""
    return functype_deftype(FuncType(tuple(params), tuple(results)))
