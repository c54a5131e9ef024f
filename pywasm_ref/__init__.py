"""WebAssembly 3.0, readable and fast."""
