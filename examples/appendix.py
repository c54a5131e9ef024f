"""The same door without its comforts: the embedding interface of the specification, where values are bits."""

import struct
from typing import cast

import pywasm_ref as wasm
from pywasm_ref.embedding import functions as embed
from pywasm_ref.embedding.engine import Func

engine = wasm.engine("auto")
module = embed.module_parse(engine, '(module (func (export "negate") (param f32) (result f32) (f32.neg (local.get 0))))')
embed.module_validate(module)
[(name, _)] = embed.module_exports(module)

store = embed.store_init(engine)
instance = embed.module_instantiate(store, module, [])
negate = cast(Func, embed.instance_export(instance, name))
print(embed.expand(embed.func_type(store, negate)))

[two] = struct.unpack("<I", struct.pack("<f", 2.0))
for bits in (two, 0x8000_0000, 0xFFC0_1234):
    [result] = embed.func_invoke(store, negate, [bits])
    print(f"{name} {bits:#010x} = {result:#010x}")

# Prints:
#   (func (param f32) (result f32))
#   negate 0x40000000 = 0xc0000000
#   negate 0x80000000 = 0x00000000
#   negate 0xffc01234 = 0x7fc01234
