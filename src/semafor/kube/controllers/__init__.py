"""Controllers: each makes one part of the cluster as the objects say it should be, again and again.

    watch ─▶ keys that may be affected ─▶ reconcile(key): read, decide, write the difference

In: watches of the API's in-process client. Out: writes through the same client. Decisions are pure functions in the
controllers' modules; `reconcile.py` is the only loop. Nothing here knows of a mesh.
"""
