"""Look concepts up in the trusts' own vocabularies."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from client.cohort.asking import Trusts
from client.sdk import Trustflow
from client.terminal import Actor, AsJson, out, play, say_json, table
from schemas.cohort import Concept, TrustConcepts


def concepts(
    project_id: Annotated[str, typer.Argument(help="The project that asks.", show_default=False)],
    words: Annotated[str, typer.Argument(help="A name, a synonym or a code.", show_default=False)],
    *,
    actor: Actor,
    trust: Trusts,
    domain: Annotated[str | None, typer.Option(help="Only of this domain, such as Condition.")] = None,
    vocabulary: Annotated[str | None, typer.Option(help="Only of this vocabulary, such as SNOMED.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Concepts that are not standard, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many of each trust.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find concepts by name, synonym or code, with their place in the hierarchy, as each trust's vocabulary has them.

    trustflow cohort concepts PROJECT "type 2 diabetes" --trust amber --domain Condition --as ann
    """

    async def work(hub: Trustflow) -> list[TrustConcepts]:
        answers: list[TrustConcepts] = []
        found = hub.concepts(
            project_id, words, trust, domain=domain, vocabulary=vocabulary, standard_only=not every, limit=limit
        )
        async with aclosing(found) as events:
            async for event in events:
                if as_json:
                    say_json(event)
                if isinstance(event, TrustConcepts):
                    answers.append(event)
        return answers

    answers = play(work, actor)
    if not as_json:
        out.print(picture(words, answers))


def picture(words: str, answers: Iterable[TrustConcepts]) -> RenderableType:
    """Each concept once, with the trusts that have it; then what each trust says of its vocabulary."""
    answers = sorted(answers, key=lambda answer: answer.trust_id)
    holders: dict[int, list[str]] = {}
    known: dict[int, Concept] = {}
    for answer in answers:
        for concept in answer.concepts:
            known.setdefault(concept.concept_id, concept)
            holders.setdefault(concept.concept_id, []).append(answer.trust_id)
    rows = [_row(concept, holders[concept.concept_id]) for concept in known.values()]
    columns = ("concept", "name", "code", "domain", "standard", "parents", "children", "descendants", "trusts")
    return Group(table(f"Concepts for {words}", columns, rows), *(Text(_note(answer)) for answer in answers))


def _row(concept: Concept, trusts: list[str]) -> tuple[object, ...]:
    matched = f" (as {concept.matched})" if concept.matched and concept.matched != concept.name else ""
    return (
        concept.concept_id,
        f"{concept.name}{matched}",
        f"{concept.vocabulary} {concept.code}",
        concept.domain,
        "yes" if concept.standard else "no",
        ", ".join(map(str, concept.parents)),
        len(concept.children),
        f"{concept.descendants:,}",
        ", ".join(trusts),
    )


def _note(answer: TrustConcepts) -> str:
    version = f", vocabulary {answer.vocabulary_version}" if answer.vocabulary_version else ""
    trouble = f"; {answer.code}: {answer.reason}" if answer.code else ""
    return f"{answer.trust_id}: {len(answer.concepts)} concepts{version}{trouble}"
