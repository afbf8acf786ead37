"""The page of a made-up mesh, in process, and somebody who has signed in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.app.conftest import pool
from tests.web import fake

__all__ = ["pool"]

HERE = "http://127.0.0.1:20002"


@pytest.fixture
async def page(pool) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session, which says where it is and carries its token."""
    async with (
        fake.served(pool) as (_, site),
        httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url=HERE, headers={"Origin": HERE}) as client,
    ):
        answer = await client.post("/api/login", json={"link": site.link()})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client
