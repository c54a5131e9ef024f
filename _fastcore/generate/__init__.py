"""Makes the handlers and the tables of the native engine from `pywasm_ref.isa` and the bodies beside this file."""
