"""The part of the SDK that counts cohorts."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from bus.uow import new_id
from client.checking import must_be_allowed, must_be_readable
from client.concept_hub import COHORT_EVENTS, ConceptHub
from client.hearing import found
from schemas.cohort import (
    CancelQuery,
    CohortEvent,
    QuerySubmitted,
    QueryTotalled,
    RepeatQuery,
    Rule,
    SubmitCriteria,
    SubmitQuery,
)
from schemas.message import Command
from schemas.views import QUERY, QueryView, fold_query


class CohortHub(ConceptHub):
    """Queries and criteria, as one user of a project asks for them."""

    async def query(
        self,
        project_id: str,
        sql: str,
        trusts: Iterable[str],
        *,
        cohort: str | None = None,
        statistics: Iterable[str] = (),
        rules: Iterable[Rule] = (),
        query_id: str | None = None,
        check: bool = True,
    ) -> AsyncGenerator[CohortEvent, None]:
        """Count a cohort: first `QuerySubmitted`, what each trust says as it arrives, and `QueryTotalled` last.

        Parameters
        ----------
        cohort
            The name of the cohort within the project that this text is a version of.
        statistics
            Names of tables to tell with it, or ``all``.
        rules
            An attrition: each rule's query finds who is left after it and all rules before it.
        check
            Judge the texts here first, as each trust will.

        Raises
        ------
        client.checking.QueryRefused, CommandRejected, NoAnswer, Unreachable
        """
        rules = tuple(rules)
        if check:
            must_be_allowed(sql)
            for rule in rules:
                must_be_allowed(rule.sql, f'Rule "{rule.name}": ')
        command = SubmitQuery(
            actor=self.actor,
            query_id=query_id or new_id(),
            project_id=project_id,
            sql=sql,
            trusts=tuple(trusts),
            cohort=cohort,
            statistics=tuple(statistics),
            rules=rules,
        )
        async with aclosing(self._counted(command)) as events:
            async for event in events:
                yield event

    async def query_by_criteria(
        self,
        project_id: str,
        criteria: str,
        trusts: Iterable[str],
        *,
        cohort: str | None = None,
        statistics: Iterable[str] = (),
        attrition: bool = False,
        images: bool = False,
        query_id: str | None = None,
        check: bool = True,
    ) -> AsyncGenerator[CohortEvent, None]:
        """Count a cohort that is given as criteria (JSON in the shape of Circe); events as of `query`.

        Parameters
        ----------
        attrition
            Count who is left after each inclusion rule, too.
        images
            Hand over images, as the query of record of a project that imports them must; criteria that name the images
            to hand over do so anyway.
        check
            Read the criteria here first, as the hub will.

        Raises
        ------
        CommandRejected, NoAnswer, Unreachable
        """
        if check:
            must_be_readable(criteria, images=images)
        command = SubmitCriteria(
            actor=self.actor,
            query_id=query_id or new_id(),
            project_id=project_id,
            criteria=criteria,
            trusts=tuple(trusts),
            cohort=cohort,
            statistics=tuple(statistics),
            attrition=attrition,
            images=images,
        )
        async with aclosing(self._counted(command)) as events:
            async for event in events:
                yield event

    async def repeat_query(
        self, query_id: str, trusts: Iterable[str] = (), *, repeat_id: str | None = None
    ) -> AsyncGenerator[CohortEvent, None]:
        """Ask an earlier query again on today's data, at the same trusts unless others are named."""
        earlier = await self.cohort(query_id)
        command = RepeatQuery(
            actor=self.actor,
            query_id=repeat_id or new_id(),
            project_id=earlier.project_id,
            repeats=query_id,
            trusts=tuple(trusts),
        )
        async with aclosing(self._counted(command)) as events:
            async for event in events:
                yield event

    async def cancel_query(self, query_id: str) -> None:
        """Stop a query at the trusts that have not answered; what others released stays."""
        await self._voice.ask(CancelQuery(actor=self.actor, query_id=query_id))

    async def cohort(self, query_id: str) -> QueryView:
        """What became of one query, so far."""
        view = await self._folded(QUERY, query_id)
        return found(view, f"query {query_id}", "`trustflow cohort query` makes one and prints its id")

    async def cohorts(self, project_id: str) -> list[QueryView]:
        """Every query of a project in the order they were asked; `client.comparing.versions` groups them."""
        views: dict[str, QueryView | None] = {}
        order: dict[str, float] = {}
        async with aclosing(self._voice.events(QUERY.topics, until="now")) as stream:
            async for heard in stream:
                event = heard.message
                if not (heard.envelope and isinstance(event, CohortEvent) and event.project_id == project_id):
                    continue
                if isinstance(event, QuerySubmitted):
                    order[event.query_id] = heard.envelope.time.timestamp()
                views[event.query_id] = fold_query(views.get(event.query_id), event)
        return sorted(filter(None, views.values()), key=lambda view: order[view.query_id])

    async def correlation(self, query_id: str) -> str | None:
        """The id under which a trust's data manager finds a query in the node's log and account."""
        async with aclosing(self._voice.events(COHORT_EVENTS, until="now")) as stream:
            async for heard in stream:
                if heard.key == query_id and heard.envelope:
                    return heard.envelope.correlationid
        return None

    async def _counted(self, command: Command) -> AsyncGenerator[CohortEvent, None]:
        async with aclosing(self._caused(command)) as events:
            async for event in events:
                if isinstance(event, CohortEvent):
                    yield event
                if isinstance(event, QueryTotalled):
                    return
