"""What exists: ``datasets.yaml``, the strict models that read it, its Arrow schemas and calendars.

What belongs here: data about datasets. Nothing in this package reads an observation, asks a network or knows Dagster.
"""

from macrocredit_assets.catalog.arrow import arrow_schema
from macrocredit_assets.catalog.catalog import Catalog
from macrocredit_assets.catalog.loader import load_catalog
from macrocredit_assets.catalog.models import DatasetSpec, Entry, SignalSpec
from macrocredit_assets.catalog.naming import series_key
from macrocredit_assets.catalog.schema import catalog_json_schema
from macrocredit_assets.catalog.table import dataset_table

__all__ = [
    "Catalog",
    "DatasetSpec",
    "Entry",
    "SignalSpec",
    "arrow_schema",
    "catalog_json_schema",
    "dataset_table",
    "load_catalog",
    "series_key",
]
