"""What generated modules may consist of: features and sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pywasm_ref.features import WASM_1, WASM_2, WASM_3, Feature, Features


@dataclass(frozen=True, slots=True)
class Profile:
    """Features and sizes of modules.

    With `canonical`, every operation that may make a NaN is followed by code that makes it the canonical one, so that engines which choose
    the bits agree. With `relaxed`, relaxed vector instructions are used, whose results only engines of the deterministic profile agree on.
    With `plain_host`, functions are called with numbers only. With `fresh`, each call will meet a new instance, and nothing is imported.

    Units   `instructions` for each function, about; `fuel` in calls and rounds of loops for each call from outside; `nesting` in blocks
    """

    features: Features = WASM_3
    funcs: int = 5
    instructions: int = 60
    nesting: int = 4
    fuel: int = 150
    calls: int = 2
    trap_percent: int = 2
    canonical: bool = True
    relaxed: bool = True
    plain_host: bool = False
    fresh: bool = False

    def has(self, feature: Feature) -> bool:
        return feature in self.features


PROFILES = {"1.0": Profile(WASM_1), "2.0": Profile(WASM_2), "3.0": Profile(WASM_3)}


def portable(profile: Profile) -> Profile:
    """The same for engines that choose NaNs and relaxed results by themselves, and that are called with numbers only."""
    return replace(profile, canonical=True, relaxed=False, plain_host=True)
