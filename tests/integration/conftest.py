"""Grounds that several modules stand on, made once."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Database
from tests.integration.omop_ground import omop_ground
from tests.integration.study_world import node_pool

__all__ = ["omop_ground"]


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """One thread, for a node that works its images off beside the event loop."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
async def pool(postgres: Database, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A trust node's own database, one for each module."""
    async with node_pool(postgres, request.module.__name__.rpartition("test_")[2]) as pool:
        yield pool
