"""What all tests share: the engine under test, and the official suites."""

import gc
import os
from pathlib import Path

import pytest
import suites
from hypothesis import HealthCheck, settings

from tests.engines import HERE

# A busy machine makes a test slow, not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Ten thousand tests are half a second's work for each `gc.collect()` in one of them, if Python's collector looks at them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", params=HERE)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine that the test is to use; a test that asks for it runs once for each engine."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def spec_suite() -> Path:
    """The folder of the official suites. Without it a test is skipped, but fails where CI=true: there, nothing may go unseen."""
    try:
        return suites.find()
    except suites.SuiteMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
