"""Tables of the user's own are forgotten after every test."""

from collections.abc import Iterator

import pytest

from scripts.common.own_tables import register


@pytest.fixture(autouse=True)
def _no_tables_are_left() -> Iterator[None]:
    yield
    register({})
