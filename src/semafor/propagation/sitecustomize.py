"""Shown to applications by Semafor; Python runs it at its start."""

import os
import sys
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would be imported in every program


def _the_application_s_own() -> None:
    """Run the sitecustomize that would have been found without this one."""
    elsewhere = [path for path in sys.path if os.path.abspath(path) != HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        import importlib.util

        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _begin() -> None:
    if PathFinder.find_spec("opentelemetry") is not None:
        return  # it takes care of its traces itself
    sys.path.append(os.path.join(HERE, "packages"))  # noqa: PTH118 - last, so that nothing of its own is replaced
    import semafor_propagation  # type: ignore[import-not-found]

    semafor_propagation.begin()


_the_application_s_own()
try:
    _begin()
except Exception as error:  # noqa: BLE001 - whatever is wrong here, the application has to run
    print(f"semafor: this program does not continue traces: {error!r}", file=sys.stderr)  # noqa: T201
