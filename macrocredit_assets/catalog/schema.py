"""The JSON Schema of a catalog file, for editors: it completes keys and underlines mistakes while one writes."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, model_json_schema

from macrocredit_assets.catalog.models import FILLED_IN, CatalogFile
from macrocredit_assets.catalog.naming import IDENTIFIER

__all__ = ["catalog_json_schema"]


def catalog_json_schema() -> JsonSchemaValue:
    """Return the JSON Schema (draft 2020-12) of the shipped catalog file and of a user's own."""
    schema = model_json_schema(CatalogFile, mode="validation")
    schema = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "title": "A catalog of macrocredit_assets",
    }
    for section in ("datasets", "signals"):
        schema["properties"][section]["propertyNames"] = {"pattern": f"^{IDENTIFIER}$"}
    for name, definition in schema["$defs"].items():
        properties, required = definition.get("properties", {}), definition.get("required", [])
        if name in ("DatasetSpec", "SignalSpec"):
            for key in FILLED_IN:
                properties.pop(key)
            required.remove("name")
        for inner in properties.values():
            if "patternProperties" in inner:
                inner["additionalProperties"] = False
        if "source" in properties and "source" not in required:
            # a model has a default; a file must say it, for it decides which keys the way has
            required.insert(0, "source")
    return schema
