"""A judged list as the first part of our own statements: its text is spliced in as it is, nothing else ever is."""

from trust_node.cohort.warehouse.wording import Rows, columns_of, members, persons


def with_members(listing: Rows, statement: str) -> str:
    """Return `statement` with the list as `members`: person_id and accession_id, empty where the list has none."""
    return f"WITH members AS ({_members(listing)})\n{statement}"


def lists_images(listing: Rows) -> bool:
    return "accession_id" in columns_of(listing)


def images(listing: Rows) -> str:
    """Return what joins `members` to their images: those of the list, or all of its persons."""
    by = "person_id, accession_id" if lists_images(listing) else "person_id"
    return f"members JOIN image_occurrence AS one USING ({by})"


def latest_image(listing: Rows) -> str:
    """Return each person's latest image as `image`: of those in the list, or of all of the person's."""
    return f"""(SELECT DISTINCT ON (one.person_id) one.* FROM {images(listing)}
        ORDER BY one.person_id, one.image_occurrence_date DESC NULLS LAST, one.image_occurrence_id DESC) AS image"""  # noqa: S608  fixed text


def _members(listing: Rows) -> str:
    if lists_images(listing):
        return members(listing)
    return f"SELECT person_id, NULL::text AS accession_id FROM ({persons(listing)}) AS listed"  # noqa: S608  judged text
