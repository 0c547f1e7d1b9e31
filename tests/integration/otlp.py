"""A receiver of traces that keeps what it is sent: OTLP over HTTP (OpenTelemetry protocol 1.x, section "OTLP/HTTP")."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from infra.parts.part import free_port

WITHIN_S = 30.0


@dataclass(slots=True)
class Receiver:
    """``spans`` are pairs of the participant and what it exported."""

    url: str
    spans: list[tuple[str, Span]] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        async with self.more:
            for resource in sent.resource_spans:
                name = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
                self.spans += [(name, span) for scope in resource.scope_spans for span in scope.spans]
            self.more.notify_all()
        return web.Response()

    async def span(self, participant: str, name: str, trace_id: str) -> Span:
        """Wait for a participant's span of this name in this trace."""
        async with self.more, asyncio.timeout(WITHIN_S):
            while (found := self._find(participant, name, trace_id)) is None:
                await self.more.wait()
            return found

    def _find(self, participant: str, name: str, trace_id: str) -> Span | None:
        wanted = f"trustflow.{participant}", name, bytes.fromhex(trace_id)
        return next((span for who, span in self.spans if (who, span.name, span.trace_id) == wanted), None)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    port = free_port()
    receiving = Receiver(f"http://127.0.0.1:{port}")
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/traces", receiving.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield receiving
    finally:
        await runner.cleanup()
