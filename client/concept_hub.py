"""The part of the SDK that looks concepts up in the trusts' vocabularies."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from bus.uow import new_id
from client.hearing import Hearing
from schemas.cohort import ConceptEvent, ConceptsSought, SearchConcepts, TrustConcepts
from schemas.message import Command, Message

COHORT_EVENTS = ("cohort.events",)


class ConceptHub(Hearing):
    """Concepts, as one user of a project asks for them."""

    async def concepts(
        self,
        project_id: str,
        words: str,
        trusts: Iterable[str],
        *,
        domain: str | None = None,
        vocabulary: str | None = None,
        standard_only: bool = True,
        limit: int = 20,
        search_id: str | None = None,
    ) -> AsyncGenerator[ConceptEvent, None]:
        """Look words up in each trust's vocabulary: first `ConceptsSought`, then one `TrustConcepts` for each trust."""
        command = SearchConcepts(
            actor=self.actor,
            search_id=search_id or new_id(),
            project_id=project_id,
            words=words,
            trusts=tuple(trusts),
            domain=domain,
            vocabulary=vocabulary,
            standard_only=standard_only,
            limit=limit,
        )
        silent = set(command.trusts)
        async with aclosing(self._caused(command)) as events:
            async for event in events:
                if isinstance(event, ConceptsSought | TrustConcepts):
                    yield event
                silent -= {event.trust_id} if isinstance(event, TrustConcepts) else set()
                if not silent:
                    return

    async def _caused(self, command: Command) -> AsyncGenerator[Message, None]:
        """What is said of the command's key from now on; endless."""
        since = await self._voice.bookmark(COHORT_EVENTS)
        await self._voice.ask(command)
        async with aclosing(self._said(COHORT_EVENTS, command.key, since=since)) as said:
            async for event in said:
                yield event
