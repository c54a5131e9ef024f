"""The binary format: bytes to modules and back.

Spec    binary/index.html
"""

from pywasm_ref.binary.encoding import encode
from pywasm_ref.binary.modules import decode
from pywasm_ref.binary.sections import Section, section_at, sections

__all__ = ["Section", "decode", "encode", "section_at", "sections"]
