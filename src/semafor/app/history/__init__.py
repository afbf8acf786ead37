"""What the mesh's configuration was: every change of it with who and when, kept in the store, bounded.

    admission ─who─┐
    watches ─what─▶ Recorder ─a moment of quiet─▶ revision N in the store ─▶ `semafor history`, `semafor rollback`

A revision has each object before and after, so what was at N is what is now with all later revisions undone.
"""
