"""Valid modules by chance: a typed stack machine that uses every row of the instruction table."""

from pywasm_ref.tools.difftest.generate.choices import Choices, Drawn, Seeded
from pywasm_ref.tools.difftest.generate.module import Generated, generate, seeded
from pywasm_ref.tools.difftest.generate.profile import PROFILES, Profile, portable

__all__ = ["PROFILES", "Choices", "Drawn", "Generated", "Profile", "Seeded", "generate", "portable", "seeded"]
