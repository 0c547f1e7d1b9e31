"""What a trust node must be told of its warehouse."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bus.settings import BusSettings
from trust_node.cohort.hardening.layout import VIEWS, AccessionColumn, Layout, OptOut, plain_name
from trust_node.cohort.store import DEFAULT_AGE_S, DEFAULT_COST, Warehouse

NOBODY = "nobody"


class WarehouseSettings(BusSettings):
    """`warehouse_url`: the address of the reader, the role of queries, with its secret.

    `warehouse_replica_url`: a replica to ask instead; `warehouse_replica_seconds`: how old its data may be.
    `cdm_schema`, `vocabulary_schema`: where the tables of the CDM are; the vocabulary's with the others by default.
    `views_schema`: what `trustflow node warehouse harden` makes.
    `opt_out_table`: `schema.table[.column]` of the persons who are in no cohort.
    `accession_column`: where accession numbers are, if not in `image_occurrence.accession_id`: `table.column [by key]`.
    `warehouse_seconds`: when a query is stopped. `warehouse_cost`: the plan's cost above which none is begun.
    """

    warehouse_url: SecretStr
    warehouse_replica_url: SecretStr | None = None
    warehouse_replica_seconds: float = Field(default=DEFAULT_AGE_S, gt=0)
    cdm_schema: str = "omop"
    vocabulary_schema: str | None = None
    views_schema: str = VIEWS
    opt_out_table: str | None = None
    accession_column: str | None = None
    warehouse_seconds: float = Field(default=30.0, gt=0)
    warehouse_cost: float = Field(default=DEFAULT_COST, gt=0)

    @field_validator("cdm_schema", "vocabulary_schema", "views_schema")
    @classmethod
    def _is_plain(cls, name: str | None) -> str | None:
        return name if name is None else plain_name(name)

    @field_validator("opt_out_table")
    @classmethod
    def _names_a_table(cls, text: str | None) -> str | None:
        if text:
            OptOut.read(text)
        return text

    @field_validator("accession_column")
    @classmethod
    def _names_a_column(cls, text: str | None) -> str | None:
        if text:
            AccessionColumn.read(text, NOBODY)
        return text

    @model_validator(mode="after")
    def _layout_is_sound(self) -> Self:
        self._layout(NOBODY)
        return self

    @property
    def layout(self) -> Layout:
        """Return how the warehouse is laid out; raises ValueError if its address names no role."""
        reader = urlsplit(self.warehouse_url.get_secret_value()).username
        if not reader:
            raise ValueError("TRUSTFLOW_WAREHOUSE_URL names no role: write postgresql://ROLE:SECRET@HOST/DATABASE")
        return self._layout(reader)

    @property
    def warehouse(self) -> Warehouse:
        """Return the warehouse that queries go to, the replica where there is one; nothing is connected yet."""
        address = self.warehouse_replica_url or self.warehouse_url
        return Warehouse(
            address.get_secret_value(),
            statement_s=self.warehouse_seconds,
            cost_limit=self.warehouse_cost,
            views_schema=self.views_schema,
            cdm_schema=self.cdm_schema,
            age_limit_s=self.warehouse_replica_seconds,
        )

    def _layout(self, reader: str) -> Layout:
        return Layout(
            reader,
            self.cdm_schema,
            self.vocabulary_schema or self.cdm_schema,
            self.views_schema,
            OptOut.read(self.opt_out_table) if self.opt_out_table else None,
            AccessionColumn.read(self.accession_column, self.cdm_schema) if self.accession_column else None,
            f"{max(1, round(self.warehouse_seconds))}s",
        )
