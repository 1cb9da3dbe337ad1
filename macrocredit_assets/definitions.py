"""What Dagster loads: the definitions of the deployment that the environment describes.

What is made here stays as long as the process. So the garbage collector, which would go through all of it again and
again, rests meanwhile and leaves it alone afterwards: of a catalog of a thousand datasets that was a third of the time.
"""

import gc
import os

import dagster as dg

from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.settings import Settings


def _definitions() -> dg.Definitions:
    settings = Settings.from_env(os.environ)
    collecting = gc.isenabled()
    gc.disable()
    try:
        return build_definitions(settings)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


defs = _definitions()
