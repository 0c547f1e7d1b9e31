"""The statistics that every cohort has: who they are, what images of them there are, and what is not known."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from trust_node.cohort.release import Key
from trust_node.cohort.statistics.asked import NOT_KNOWN, Asked, Labels
from trust_node.cohort.statistics.members import images, latest_image, lists_images, with_members
from trust_node.cohort.warehouse.wording import Rows

OLDEST = 90
BAND = 10

# Concepts from here on are the site's own: their names may hold those of places and staff.
LOCAL = 2_000_000_000

# DICOM's attribute Manufacturer, as MI-CDM names it in the vocabulary DICOM.
MANUFACTURER = "00080070"

PERSONS = "(SELECT DISTINCT person_id FROM members) AS these JOIN person AS one USING (person_id)"
OF_PERSON = ("gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id")
OF_IMAGE = ("image_occurrence_date", "modality_concept_id", "anatomic_site_concept_id", "accession_id")


def sex(listing: Rows) -> Asked:
    return Asked("sex", "Sex", ("sex",), _by_concept(listing, PERSONS, "one.gender_concept_id"))


def modality(listing: Rows) -> Asked:
    sql = _by_concept(listing, latest_image(listing), "image.modality_concept_id")
    return Asked("modality", f"Modality of {_which(listing)}", ("modality",), sql)


def body_site(listing: Rows) -> Asked:
    sql = _by_concept(listing, latest_image(listing), "image.anatomic_site_concept_id")
    return Asked("body_site", f"Body site of {_which(listing)}", ("body site",), sql)


def manufacturer(listing: Rows) -> Asked:
    """Of the latest image that tells it: one series of a study may, and another not."""
    of = f"""(SELECT DISTINCT ON (one.person_id) one.person_id, told.value_as_concept_id FROM {images(listing)}
    JOIN image_feature AS feature USING (image_occurrence_id)
    JOIN concept AS attribute ON attribute.concept_id = feature.image_feature_concept_id
        AND attribute.vocabulary_id = 'DICOM' AND attribute.concept_code = '{MANUFACTURER}'
    JOIN observation AS told ON told.observation_id = feature.image_feature_event_id
    ORDER BY one.person_id, one.image_occurrence_date DESC NULLS LAST, told.observation_id DESC) AS made"""  # noqa: S608  fixed text
    sql = _by_concept(listing, of, "made.value_as_concept_id")
    return Asked("manufacturer", f"Manufacturer of the device, of {_which(listing)}", ("manufacturer",), sql)


def year(listing: Rows) -> Asked:
    sql = f"SELECT extract(year FROM image.image_occurrence_date)::int, image.person_id FROM {latest_image(listing)}"  # noqa: S608  fixed text
    return Asked("year", f"Year of {_which(listing)}", ("year",), with_members(listing, sql))


def age_band(listing: Rows) -> Asked:
    """By the year of the latest image that the list names, or by this year where it names none."""
    if lists_images(listing):
        title, at = "Age in the year of the latest listed image", "extract(year FROM image.image_occurrence_date)"
        of = f"{latest_image(listing)} JOIN person AS one USING (person_id)"
    else:
        title, at, of = "Age this year", "extract(year FROM current_date)", PERSONS
    band = f"least(greatest(floor(({at} - one.year_of_birth) / {BAND}), 0), {OLDEST // BAND}) * {BAND}"
    sql = f"SELECT ({band})::int, one.person_id FROM {of}"  # noqa: S608  fixed text
    return Asked("age_band", title, ("from", "below"), with_members(listing, sql), unit="years", told=_band)


def nulls(listing: Rows) -> Asked:
    """Each person is in the cell of all columns that are empty; a column's number is the sum of its cells."""
    columns = [f"one.{column}" for column in OF_PERSON] + [f"image.{column}" for column in OF_IMAGE]
    empty = " + ".join(f"CASE WHEN {_empty(column)} THEN {2**at} ELSE 0 END" for at, column in enumerate(columns))
    of = f"{PERSONS} LEFT JOIN {latest_image(listing)} USING (person_id)"
    sql = f"SELECT {empty}, one.person_id FROM {of}"  # noqa: S608  fixed text
    title = f"Persons without a value, of their own or of {_which(listing)}"
    return Asked("nulls", title, ("column",), with_members(listing, sql), told=_columns)


TABLES: Mapping[str, Callable[[Rows], Asked]] = MappingProxyType(
    {
        "sex": sex,
        "age_band": age_band,
        "year": year,
        "modality": modality,
        "body_site": body_site,
        "manufacturer": manufacturer,
        "nulls": nulls,
    }
)


def _which(listing: Rows) -> str:
    return f"each person's latest {'listed ' if lists_images(listing) else ''}image"


def _by_concept(listing: Rows, of: str, column: str) -> str:
    table = column.partition(".")[0]
    return with_members(
        listing,
        f"""SELECT coalesce(named.concept_name, {column}::text), {table}.person_id FROM {of}
    LEFT JOIN concept AS named ON named.concept_id = {column} AND named.concept_id < {LOCAL}""",  # noqa: S608  fixed
    )


def _empty(column: str) -> str:
    """In OMOP a concept of 0 says that the source's value is not known."""
    return f"{column} IS NULL" + (f" OR {column} = 0" if column.endswith("concept_id") else "")


def _columns(key: tuple[Key, ...]) -> tuple[Labels, ...]:
    (empty,) = key
    names = (*OF_PERSON, *OF_IMAGE)
    return tuple((name,) for at, name in enumerate(names) if int(empty or 0) & 2**at) or (("none",),)


def _band(key: tuple[Key, ...]) -> tuple[Labels, ...]:
    (begin,) = key
    if begin is None:
        return ((NOT_KNOWN, ""),)
    return ((str(begin), "" if int(begin) >= OLDEST else str(int(begin) + BAND)),)
