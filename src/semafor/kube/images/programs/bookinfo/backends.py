"""Bookinfo's services behind its page: details, ratings, reviews."""

import json
import os
from typing import Any

from .server import Answer, Request, fetch

_NOT_FOUND: Answer = (404, {"error": "not found"})
_NO_NUMBER: Answer = (400, {"error": "please provide numeric product ID"})
_posted: dict[int, Any] = {}  # ratings that users gave, until the pod ends


def details(request: Request) -> Answer:
    """What is known of a book."""
    if not request.path.startswith("/details"):
        return _NOT_FOUND
    if request.id is None:
        return _NO_NUMBER
    return 200, {
        "id": request.id,
        "author": "William Shakespeare",
        "year": 1595,
        "type": "paperback",
        "pages": 200,
        "publisher": "PublisherA",
        "language": "English",
        "ISBN-10": "1234567890",
        "ISBN-13": "123-1234567890",
    }


def ratings(request: Request) -> Answer:
    """The stars of both reviewers, which a POST replaces."""
    if not request.path.startswith("/ratings"):
        return _NOT_FOUND
    if request.id is None:
        return _NO_NUMBER
    if request.method == "POST":
        try:
            _posted[request.id] = json.loads(request.body)
        except ValueError:
            return 400, {"error": "please provide valid ratings JSON"}
    return 200, {"id": request.id, "ratings": _posted.get(request.id, {"Reviewer1": 5, "Reviewer2": 4})}


def reviews(request: Request) -> Answer:
    """Two reviews: without stars (v1), with black (v2) or red ones (v3), as the environment says."""
    if not request.path.startswith("/reviews"):
        return _NOT_FOUND
    if request.id is None:
        return _NO_NUMBER
    given = _stars(request) if os.environ.get("ENABLE_RATINGS", "").lower() == "true" else {}
    texts = (("Reviewer1", "Wit, wonder and two pairs of twins."), ("Reviewer2", "Great fun, though not deep."))
    written = [{"reviewer": name, "text": text, **given.get(name, {})} for name, text in texts]
    pod, cluster = os.environ.get("HOSTNAME", "null"), os.environ.get("CLUSTER_NAME", "null")
    return 200, {"id": str(request.id), "podname": pod, "clustername": cluster, "reviews": written}


def _stars(request: Request) -> dict[str, Any]:
    """The rating of each reviewer. Black stars wait 10 s for them, others 2.5 s: the sample's lesson on time-outs."""
    color = os.environ.get("STAR_COLOR", "black")
    status, found = fetch("ratings", f"/ratings/{request.id}", request.passed_on, 10.0 if color == "black" else 2.5)
    if status != 200:
        error = {"rating": {"error": "Ratings service is currently unavailable"}}
        return {"Reviewer1": error, "Reviewer2": error}
    return {name: {"rating": {"stars": stars, "color": color}} for name, stars in found["ratings"].items()}
