"""What may leave the trust: blurred, guarded against differencing, counted; see docs/disclosure-control.md.

Inside the transaction that tells the answer::

    population = Population(warehouse.population, key)  # one for the whole node

    releasing = Releasing(connection, policy, key, population, project_id=project_id, user_id=user_id, now=now)
    released = await releasing.number(persons)
"""

from trust_node.cohort.release.asked import Asked
from trust_node.cohort.release.errors import BudgetSpentError, TooFineError
from trust_node.cohort.release.policy import Cell, Key, Released, ReleasePolicy
from trust_node.cohort.release.population import Population
from trust_node.cohort.release.releasing import Releasing
from trust_node.cohort.release.timing import Pace, dithered, pace

__all__ = [
    "Asked",
    "BudgetSpentError",
    "Cell",
    "Key",
    "Pace",
    "Population",
    "ReleasePolicy",
    "Released",
    "Releasing",
    "TooFineError",
    "dithered",
    "pace",
]
