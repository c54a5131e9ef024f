"""wasmtime behind the protocols of the embedding, by its C interface, which alone passes vectors, references and the bits of NaNs.

What the C interface cannot tell, such as the exact types of exports, is asked of our own reading of the module.
"""
