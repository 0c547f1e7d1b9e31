"""Grounds that several modules stand on, made once."""

from tests.integration.omop_ground import omop_ground

__all__ = ["omop_ground"]
