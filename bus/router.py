"""Which handler takes which message."""

from collections.abc import Awaitable, Callable
from typing import Any

from bus.uow import UnitOfWork
from schemas.message import Message
from schemas.upcast import newest

Handler = Callable[[Any, UnitOfWork], Awaitable[None]]


class Router:
    """Handlers by message type: ``@router.on(CreateProject)``."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, *types: type[Message]) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            for message_type in types:
                if message_type.type in self._handlers:
                    raise ValueError(f"{message_type.type} has a handler already")
                self._handlers[message_type.type] = handler
            return handler

        return register

    def handler(self, type_: str) -> Handler | None:
        return self._handlers.get(newest(type_))

    def joined(self, other: "Router") -> "Router":
        """The handlers of both; raises ValueError where both have one for a type."""
        if both := self.types & other.types:
            raise ValueError(f"{', '.join(sorted(both))}: there is a handler already")
        router = Router()
        router._handlers = self._handlers | other._handlers  # noqa: SLF001  its own kind
        return router

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self._handlers)
