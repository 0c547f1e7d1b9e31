"""At an approval the trust is told to fix who is in."""

from bus.errors import Late
from schemas.project import ProjectApproved
from schemas.trust import FreezeCohort
from services.cohort.domain.state import Query


def freeze(query: Query | None, approved: ProjectApproved) -> FreezeCohort:
    """A trust approved: it shall fix who is in, by the text that was approved."""
    if query is None:
        raise Late("unknown_query", "The approved query has not been seen here yet.")
    return FreezeCohort(
        trust_id=approved.trust_id,
        project_id=approved.project_id,
        query_id=query.query_id,
        sql=query.sql,
        approved_by=approved.approved_by,
        request_digest=approved.request_digest,
    )
