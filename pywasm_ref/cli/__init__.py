"""The command line: one file for each command.

A command module has `NAME`, `HELP`, `EPILOG`, `arguments(parser)` and `run(options) -> exit status`.
"""

from pywasm_ref.cli.command_line import main

__all__ = ["main"]
