"""Databases, roles, users, topics and rules: what must be there before the first of our processes starts."""

import asyncio

from bus.admin.broker_admin import administrator
from bus.proof.signing import Signer, TrustKeys
from infra.federation import Federation, trust_role, warehouse_name, warehouse_reader
from schemas.topics import ADMINISTRATOR, SERVICES, acls, all_topics, principals, quotas
from trust_node.cohort.hardening.layout import Layout
from trust_node.cohort.hardening.store import harden


def provision(federation: Federation) -> None:
    """Bring PostgreSQL and Kafka to the state the federation needs; may be repeated."""
    for role in (*SERVICES, *map(trust_role, federation.trusts)):
        _own_database(federation, role)
    for trust in federation.trusts:
        _warehouse(federation, trust)
    exchange_keys(federation)
    asyncio.run(_broker(federation))


def exchange_keys(federation: Federation) -> None:
    """Give the hub each trust's public key; on one machine nobody has to carry it."""
    federation.trust_keys.mkdir(exist_ok=True)
    for trust in federation.trusts:
        TrustKeys(federation.trust_keys).admit(trust, Signer.open(federation.signing_key_file(trust)).public_pem)


def _own_database(federation: Federation, role: str) -> None:
    federation.postgres.ensure_role(role, federation.keys.value(f"postgres-{role}"))
    federation.postgres.ensure_database(role, owner=role)


def _warehouse(federation: Federation, trust: str) -> None:
    """The hospital's own database, hardened even while it is empty; whoever fills it does so again."""
    reader, warehouse = warehouse_reader(trust), warehouse_name(trust)
    federation.postgres.ensure_role(reader, federation.keys.value(f"postgres-{reader}"))
    federation.postgres.ensure_database(warehouse)
    asyncio.run(harden(federation.postgres.dsn(warehouse), Layout(reader)))


async def _broker(federation: Federation) -> None:
    users = {name: federation.keys.value(f"kafka-{name}") for name in principals(federation.trusts)}
    rules = frozenset(acls(federation.trusts))
    async with administrator(federation.login(ADMINISTRATOR)) as admin:
        await admin.ensure_users(users)
        await admin.ensure_topics(all_topics(federation.trusts))
        await admin.ensure_acls(rules)
        await admin.ensure_quotas(quotas(federation.trusts))
        await admin.drop_acls(await admin.acls() - rules)
