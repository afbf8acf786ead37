"""What an installation of the mesh consists of. Pure.

In: IstioOperators, the lowest first. Out: the installation that they ask for together (`resolve`), its objects as
documents (`render`), what users and installations change in the same object (`merge`), and everything that is wrong.
Never: reads or writes a cluster.
"""

from semafor.installation.parts import Chart, Part, render
from semafor.installation.spec import Component, Installation, Layer, owner, profile, resolve, with_settings

__all__ = [
    "Chart",
    "Component",
    "Installation",
    "Layer",
    "Part",
    "owner",
    "profile",
    "render",
    "resolve",
    "with_settings",
]
