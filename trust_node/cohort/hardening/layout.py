"""How this trust's warehouse is laid out: schemas, who has opted out, where accession numbers are."""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
OURS = "trustflow"
VIEWS = "trustflow_cohort"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A table of persons who have opted out, one row or more for each."""

    schema: str
    table: str
    column: str = "person_id"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `schema.table` or `schema.table.column`; raises ValueError."""
        names = text.split(".")
        if len(names) not in (2, 3):
            raise ValueError("opt_out_table: write schema.table, or schema.table.column where the column has a name")
        return cls(*map(plain_name, names))


@dataclass(frozen=True, slots=True)
class AccessionColumn:
    """The column that holds accession numbers, and the key by which its table is joined to image_occurrence."""

    schema: str
    table: str
    column: str
    key: str

    @classmethod
    def read(cls, text: str, cdm_schema: str) -> Self:
        """Read `table.column`, `schema.table.column`, either followed by ` by key`; raises ValueError.

        Without a key the table is joined by its own row id, which image_occurrence must have too.
        """
        place, _, key = text.partition(" by ")
        names = [plain_name(name) for name in place.strip().split(".")]
        match names:
            case [table, column]:
                schema = cdm_schema
            case [schema, table, column]:
                pass
            case _:
                raise ValueError("accession_column: write table.column, or schema.table.column by key")
        return cls(schema, table, column, plain_name(key.strip()) if key else f"{table}_id")

    @property
    def is_own(self) -> bool:
        """Whether the column is one of image_occurrence itself."""
        return self.table == "image_occurrence"


@dataclass(frozen=True, slots=True)
class Layout:
    """`reader`: the role that queries run as. `views_schema`: what it sees; `about_schema`: what it says of itself."""

    reader: str
    cdm_schema: str = "omop"
    vocabulary_schema: str = "omop"
    views_schema: str = VIEWS
    opt_out: OptOut | None = None
    accession: AccessionColumn | None = None
    statement_timeout: str = "30s"

    def __post_init__(self) -> None:
        for name in (self.reader, self.cdm_schema, self.vocabulary_schema, self.views_schema):
            plain_name(name)
        if self.views_schema in (self.cdm_schema, self.vocabulary_schema):
            raise ValueError("views_schema: it must be a schema of its own, not the one that holds patients' rows")

    @property
    def about_schema(self) -> str:
        return f"{self.views_schema}_about"


def owner_of(database: str) -> str:
    """The role that owns the views of this database; roles belong to the whole cluster, so each has its own."""
    return f"{_word(database)}_views"


def others_of(database: str) -> str:
    """The role that keeps for everybody else what PUBLIC has lost in this database."""
    return f"{_word(database)}_others"


def _word(database: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", f"trustflow_{database.lower()}")[:50]


def plain_name(name: str) -> str:
    """Return the name if PostgreSQL needs no quotes around it; raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no plain PostgreSQL name: use a-z, 0-9 and _")
    return name
