"""Shown to applications by Semafor; every Python that starts there reads it, however old: it has plain words only."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would be imported in every program
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]  # noqa: PTH100

# The one that would have been found without this one. Python takes what stands under the name afterwards.
_ours = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ImportError as error:
    if getattr(error, "name", "sitecustomize") != "sitecustomize":
        raise
finally:
    if _ours is not None:
        sys.modules.setdefault("sitecustomize", _ours)

if sys.version_info >= (3, 7):  # noqa: UP036
    try:
        sys.path.append(HERE)  # last, so that nothing of the application's own is replaced
        import semafor_propagation  # type: ignore[import-not-found]

        semafor_propagation.begin()
    except Exception as error:  # noqa: BLE001 - whatever is wrong here, the application has to run
        sys.stderr.write("semafor: this program does not continue traces: %r\n" % (error,))  # noqa: UP031
