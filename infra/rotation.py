"""Keys that are replaced while the federation runs: only who owns a key notices."""

import asyncio
import os
import secrets
from signal import SIGTERM

from bus.admin.broker_admin import administrator
from bus.proof.signing import Signer, TrustKeys
from infra.federation import Federation
from infra.supervision import Supervisor
from schemas.topics import ADMINISTRATOR, SERVICES, principals, trust_principal


class CannotRotate(ValueError):
    """There is no such key; the text says which there are."""


def rotate_certificate(federation: Federation) -> None:
    """Give the broker a new key and certificate; connections that are open stay so, nobody is restarted."""
    authority = federation.authority
    if authority is None:
        raise CannotRotate("the broker has no certificate: `make down`, then `TLS=1 make up`")
    authority.issue()

    async def reload() -> None:
        async with administrator(federation.login(ADMINISTRATOR)) as admin:
            await admin.reload_certificate(str(authority.keystore_file))

    asyncio.run(reload())


def rotate_password(federation: Federation, principal: str) -> None:
    """Give a principal a new password; its own process, if it has one, is restarted with it."""
    if principal not in principals(federation.trusts):
        raise CannotRotate(f"{principal} is none of {', '.join(principals(federation.trusts))}")
    fresh = secrets.token_hex(32)

    async def set_password() -> None:
        async with administrator(federation.login(ADMINISTRATOR)) as admin:
            await admin.ensure_users({principal: fresh})

    asyncio.run(set_password())
    federation.keys.replace(f"kafka-{principal}", fresh)
    _restart(federation, _program_of(federation, principal))


def rotate_signing_key(federation: Federation, trust: str) -> None:
    """Have a trust sign by a new key. The hub knows it before it is used, and still believes the old one."""
    if trust not in federation.trusts:
        raise CannotRotate(f"{trust} is none of {', '.join(federation.trusts)}")
    file = federation.signing_key_file(trust)
    fresh = file.with_suffix(".new")
    TrustKeys(federation.trust_keys).admit(trust, Signer.open(fresh).public_pem)
    fresh.replace(file)
    _restart(federation, _program_of(federation, trust_principal(trust)))


def _program_of(federation: Federation, principal: str) -> str | None:
    nodes = {trust_principal(trust): f"node-{trust}" for trust in federation.trusts}
    return principal if principal in SERVICES else nodes.get(principal)


def _restart(federation: Federation, program: str | None) -> None:
    """End the program, if it runs: supervisord starts it again."""
    pid = Supervisor(federation.run).states()[program].pid if program else 0
    if pid:
        os.kill(pid, SIGTERM)
