"""What Dagster loads: the definitions of the deployment that the environment describes."""

import os

from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.settings import Settings

defs = build_definitions(Settings.from_env(os.environ))
