"""The library transformers, which is installed and imported only where a model needs it."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from ..errors import EngineError


def use_packages(folder: str | None) -> None:
    """Packages in a folder can be imported from now on; those of the worker's own environment come first."""
    if folder is not None and folder not in sys.path:
        sys.path.append(folder)
        importlib.invalidate_caches()


def transformers() -> ModuleType:
    """Raises packages-missing."""
    # What is not in a model's folder is not looked for anywhere else.
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TRANSFORMERS_VERBOSITY="error")
    try:
        library = importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        raise EngineError(
            "packages-missing", "environment", f"a model of the plain path needs transformers ({error})"
        ) from error
    library.utils.logging.disable_progress_bar()
    return library
