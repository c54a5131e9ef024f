"""`python -m pywasm_ref`: the command line."""

from pywasm_ref.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
