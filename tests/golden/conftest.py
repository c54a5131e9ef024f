"""`pytest tests/golden --bless` writes what the commands say now as what is expected; look at the difference before keeping it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="accept the present output of the golden cases")
