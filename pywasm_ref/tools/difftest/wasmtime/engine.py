"""The engine and its modules."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import POINTER, byref
from functools import cached_property
from typing import Any

from pywasm_ref import binary
from pywasm_ref.embedding import engine as protocols
from pywasm_ref.embedding.engine import Limits
from pywasm_ref.errors import Invalid, Malformed
from pywasm_ref.features import Feature, Features
from pywasm_ref.source import Source
from pywasm_ref.syntax import modules as syntax
from pywasm_ref.syntax.modules import Module
from pywasm_ref.syntax.types import DefType, ExternType
from pywasm_ref.tools.difftest.outline import outline
from pywasm_ref.tools.difftest.wasmtime import api
from pywasm_ref.tools.difftest.wasmtime.store import WasmtimeStore

c: Any = api.c
STRATEGIES = {"cranelift": 1, "winch": 2, "pulley": 1}
SWITCHES = {
    "threads": (Feature.THREADS,),
    "tail_call": (Feature.TAIL_CALL,),
    "reference_types": (Feature.REFERENCE_TYPES,),
    "function_references": (Feature.FUNCTION_REFERENCES,),
    "gc": (Feature.GC,),
    "simd": (Feature.SIMD,),
    "relaxed_simd": (Feature.RELAXED_SIMD,),
    "bulk_memory": (Feature.BULK_MEMORY,),
    "multi_value": (Feature.MULTI_VALUE,),
    "multi_memory": (Feature.MULTI_MEMORY,),
    "memory64": (Feature.MEMORY64,),
    "exceptions": (Feature.EXCEPTIONS,),
    "wide_arithmetic": (Feature.WIDE_ARITHMETIC,),
    "custom_page_sizes": (Feature.CUSTOM_PAGE_SIZES,),
}
"""The features that wasmtime can turn off, all others being on for good."""

BEYOND_WINCH = (
    Feature.THREADS, Feature.TAIL_CALL, Feature.FUNCTION_REFERENCES, Feature.GC, Feature.EXCEPTIONS, Feature.RELAXED_SIMD
)  # fmt: skip
"""What Winch has not; asked for it, wasmtime ends the process."""

HOST_MODULES = 256
"""How many modules of the host are kept."""


class Refused(Malformed, Invalid):
    """wasmtime refuses a module and does not tell whether it can be read."""


def wat2wasm(text: bytes) -> bytes:
    """A text as wasmtime reads it.

    Fails   Refused
    """
    made = c.wasm_byte_vec_t()
    api.check(c.wasmtime_wat2wasm(ctypes.create_string_buffer(text), len(text), byref(made)), Refused)
    data = ctypes.string_at(made.data, made.size)
    c.wasm_byte_vec_delete(byref(made))
    return data


def _config(strategy: str, features: Features, metered: bool) -> Any:
    """Everything as deterministic as it gets, and the features of the module."""
    config = c.wasm_config_new()
    c.wasmtime_config_strategy_set(config, STRATEGIES[strategy])
    c.wasmtime_config_wasm_component_model_async_set(config, False)
    c.wasmtime_config_wasm_component_model_set(config, False)
    for name, wanted in SWITCHES.items():
        getattr(c, f"wasmtime_config_wasm_{name}_set")(config, any(feature in features for feature in wanted))
    c.wasmtime_config_shared_memory_set(config, True)
    c.wasmtime_config_consume_fuel_set(config, metered)
    if strategy != "winch":
        c.wasmtime_config_cranelift_nan_canonicalization_set(config, True)
    c.wasmtime_config_wasm_relaxed_simd_deterministic_set(config, True)
    c.wasmtime_config_parallel_compilation_set(config, False)
    c.wasmtime_config_cranelift_opt_level_set(config, 1)
    c.wasmtime_config_memory_reservation_set(config, 1 << 20)
    c.wasmtime_config_memory_guard_size_set(config, 1 << 16)
    c.wasmtime_config_max_wasm_stack_set(config, 1 << 20)
    if strategy == "pulley":
        api.check(c.wasmtime_config_target_set(config, ctypes.create_string_buffer(b"pulley64")))
    return config


class WasmtimeEngine:
    """One of wasmtime's ways to run code, with or without fuel; the C engines are made for each set of features."""

    func_parts: type | None = None

    def __init__(self, strategy: str = "cranelift", metered: bool = False) -> None:
        if strategy not in STRATEGIES:
            raise ValueError(f"wasmtime has no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
        self.name = "wasmtime" if strategy == "cranelift" else f"wasmtime:{strategy}"
        self.strategy = strategy
        self.metered = metered
        self.engines: dict[Features, Any] = {}
        self.host_modules: dict[tuple[bytes, Features], WasmtimeModule] = {}
        self.features: Features = frozenset(Feature)

    def pointer(self, features: Features) -> Any:
        """The engine of C.

        Fails   NotImplementedError
        """
        if self.strategy == "winch" and (missing := [feature.value for feature in BEYOND_WINCH if feature in features]):
            raise NotImplementedError(f"Winch has no {', '.join(missing)}")
        if features not in self.engines:
            self.engines[features] = c.wasm_engine_new_with_config(_config(self.strategy, features, self.metered))
        return self.engines[features]

    def decode(self, source: Source, features: Features) -> WasmtimeModule:
        if not isinstance(source.data, bytes):
            raise TypeError("a binary is bytes")
        self.features = features  # what runs in one store belongs to one engine: that of the module that was read last
        return WasmtimeModule(self, source, source.data, features)

    def host_module(self, data: bytes, features: Features) -> WasmtimeModule:
        """A module that the host makes, compiled once: most hosts ask for the same few."""
        key = (data, features)
        if key not in self.host_modules:
            if len(self.host_modules) >= HOST_MODULES:
                self.host_modules.clear()
            self.host_modules[key] = self.decode(Source("<host>", data), features)
        return self.host_modules[key]

    def adopt(self, module: Module, features: Features) -> WasmtimeModule:
        return self.decode(Source("<module>", binary.encode(module)), features)

    def store(self, limits: Limits) -> WasmtimeStore:
        return WasmtimeStore(self, limits)


class WasmtimeModule:
    """A compiled module. Names and types of its imports and exports are those that we read ourselves."""

    def __init__(self, engine: WasmtimeEngine, source: Source, data: bytes, features: Features) -> None:
        self.engine = engine
        self.features = features
        self.source: Source | None = source
        self.customs: Sequence[tuple[str, bytes]] = ()
        self.names = syntax.Names()
        self.field_names: Mapping[DefType, Mapping[str, int]] = {}
        self.binary = data
        self.pointer = POINTER(c.wasmtime_module_t)()
        buffer = (ctypes.c_uint8 * max(1, len(data))).from_buffer_copy(data or b"\0")
        api.check(c.wasmtime_module_new(engine.pointer(features), buffer, len(data), byref(self.pointer)), Refused)

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            c.wasmtime_module_delete(self.pointer)

    def validate(self) -> None:
        """It was validated when it was compiled."""

    @cached_property
    def ours(self) -> protocols.Module:
        return outline(self.binary, self.features)

    @property
    def imports(self) -> Sequence[tuple[str, str, ExternType]]:
        return self.ours.imports

    @property
    def exports(self) -> Sequence[tuple[str, ExternType]]:
        return self.ours.exports
