"""Dagster assets for systematic macro credit, written to Parquet files that researchers read without Dagster."""

__version__ = "0.1.0"
