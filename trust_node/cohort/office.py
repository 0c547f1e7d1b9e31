"""Where the release of a transaction is had: the trust's policy and key, and everybody in its warehouse."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyroaring import BitMap64

from bus.uow import UnitOfWork
from schemas.sql.judge import Listing, judge
from trust_node.cohort.finding import AsksWarehouse
from trust_node.cohort.release import Population, ReleasePolicy, Releasing

EVERYBODY = "SELECT person_id FROM person"


@dataclass(frozen=True, slots=True)
class Office:
    policy: ReleasePolicy
    key: bytes
    population: Population

    @classmethod
    def of(cls, warehouse: AsksWarehouse, policy: ReleasePolicy, key: bytes) -> "Office":
        async def everybody() -> BitMap64:
            listing = judge(EVERYBODY)
            if not isinstance(listing, Listing):
                raise TypeError("the judge refuses the list of everybody")
            return await warehouse.persons(listing)

        return cls(policy, key, Population(everybody, key))

    async def open(self) -> None:
        """Read the population if it is due: before a transaction, which must not wait for the warehouse."""
        await self.population.at(datetime.now(UTC))

    def release(self, uow: UnitOfWork, project_id: str, user_id: str, *, slow: bool = False) -> Releasing:
        return Releasing(
            uow.connection,
            self.policy,
            self.key,
            self.population,
            project_id=project_id,
            user_id=user_id,
            now=uow.now,
            slow=slow,
        )
