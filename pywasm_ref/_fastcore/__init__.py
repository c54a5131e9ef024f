"""The native engine; its sources are in `_fastcore/` at the root of the source tree, this is where they are built to."""
