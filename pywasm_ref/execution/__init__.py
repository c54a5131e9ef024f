"""Chapter 4, execution: the runtime structure, the machine that reduces, one function per form, and instantiation.

Importing this package registers every reduction.
"""

from pywasm_ref.execution import instructions as instructions
