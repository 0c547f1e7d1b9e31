"""The line between two sides: it passes on, is cut, stalls and heals."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from infra.parts.part import free_port
from tests.chaos.proxy import Proxy


@pytest.fixture
async def line() -> AsyncIterator[Proxy]:
    """In front of somebody who repeats every line."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.readline():
            writer.write(said)
        writer.close()

    proxy = Proxy(free_port(), free_port())
    async with await asyncio.start_server(repeat, "127.0.0.1", proxy.target_port):
        await proxy.open()
        yield proxy
        await proxy.cut()


async def visit(line: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", line.port)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes) -> bytes:
    writer.write(said)
    async with asyncio.timeout(5):
        return await reader.readline()


async def test_it_passes_on_what_is_said_both_ways(line: Proxy) -> None:
    assert await ask(*await visit(line), b"hello\n") == b"hello\n"


async def test_a_cut_ends_what_was_open_and_refuses_what_is_new(line: Proxy) -> None:
    reader, writer = await visit(line)
    await ask(reader, writer, b"hello\n")
    await line.cut()
    assert await reader.read() == b""
    with pytest.raises(ConnectionRefusedError):
        await visit(line)


async def test_after_a_cut_it_heals(line: Proxy) -> None:
    await line.cut()
    await line.open()
    assert await ask(*await visit(line), b"again\n") == b"again\n"


async def test_while_stalled_it_accepts_and_says_nothing_and_then_says_all(line: Proxy) -> None:
    line.stall()
    reader, writer = await visit(line)
    asking = asyncio.create_task(ask(reader, writer, b"hello\n"))
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done
    await line.open()
    assert await asking == b"hello\n"


async def test_one_side_that_leaves_is_told_to_the_other(line: Proxy) -> None:
    reader, writer = await visit(line)
    writer.write_eof()
    assert await reader.read() == b""
