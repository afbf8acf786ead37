"""What of an Envoy's statistics is shown to whoever asks for them, and in which words."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from semafor.base.struct import Value
from semafor.envoy.render import metrics

Json = dict[str, Any]

_TYPES: Final = "type.googleapis.com/envoy.extensions."


class Application(Value):
    """Where the application beside the proxy tells its own metrics, on the pod's loopback interface."""

    port: int
    path: str


class Shown(Value):
    """Statistics that are shown besides the usual ones, and the upper bounds of histograms by what names begin with."""

    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    buckets: tuple[tuple[str, tuple[float, ...]], ...] = ()


_STAT_REGEXES: Final = (
    r".*upstream_rq_(total|active|completed|[1-5]\w\w|retry\w*|pending_total|\w*timeout|\w*overflow)",
    r".*downstream_rq_(total|active|completed|[1-5]xx|timeout|rx_reset|ws_\w+)",
    r".*(up|down)stream_cx_(total|active|destroy|http\d_total|connect_\w+|overflow)",
)
# Every stat of every cluster would cost 12 MB in a mesh of 500 clusters; these are what people and alerts look at.
MATCHER: Final[Json] = {
    "use_all_default_tags": True,
    # What a dry run of a policy would have done, as labels. Source: Istio's task "Dry Run".
    "stats_tags": [
        {"tag_name": "authz_enforce_result", "regex": r"rbac(\.(allowed|denied))"},
        {"tag_name": "authz_dry_run_action", "regex": r"(\.istio_dry_run_(allow|deny)_)"},
        {"tag_name": "authz_dry_run_result", "regex": r"(\.shadow_(allowed|denied))"},
    ],
    "stats_matcher": {
        "inclusion_list": {
            "patterns": [
                {"prefix": "server."},
                {"prefix": f"{metrics.PREFIX}."},
                {"prefix": "cluster_manager."},
                {"prefix": "listener_manager."},
                {"prefix": "overload."},
                {"contains": "ssl."},
                {"contains": "rbac."},
                {"contains": "outlier_detection.ejections_"},
                {"contains": "membership_"},
                *({"safe_regex": {"regex": regex}} for regex in _STAT_REGEXES),
            ]
        }
    },
}


def config(shown: Shown) -> Json:
    """Of the bootstrap: what is counted at all."""
    patterns = list(MATCHER["stats_matcher"]["inclusion_list"]["patterns"])
    patterns += [{"prefix": text} for text in shown.prefixes] + [{"suffix": text} for text in shown.suffixes]
    patterns += [{"safe_regex": {"regex": text}} for text in shown.regexes]
    buckets = [{"match": {"prefix": text}, "buckets": list(bounds)} for text, bounds in shown.buckets]
    made = MATCHER | {"stats_matcher": {"inclusion_list": {"patterns": patterns}}}
    return made | ({"histogram_bucket_settings": buckets} if buckets else {})


# Names of metrics begin with `envoy_`, but for those below a prefix that an extension has taken. The one for
# WebAssembly takes its own before it looks for a program, and this program is none: nothing is loaded, no engine starts
# and istio_requests_total is called so. What is fetched in its place is a text of the admin interface, always the same.
METRIC_NAMES: Final[Json] = {
    "name": "envoy.bootstrap.wasm",
    "typed_config": {
        "@type": _TYPES + "wasm.v3.WasmService",
        "singleton": True,
        "config": {
            "name": "names",
            "vm_config": {
                "runtime": "envoy.wasm.runtime.null",
                "code": {
                    "remote": {
                        "http_uri": {"uri": "http://admin/hot_restart_version", "cluster": "admin", "timeout": "1s"},
                        "sha256": hashlib.sha256(b"disabled").hexdigest(),
                        "retry_policy": {"num_retries": 0},
                    }
                },
            },
        },
    },
}


def lua(code: str) -> Json:
    """A filter that runs a program."""
    config = {"@type": _TYPES + "filters.http.lua.v3.Lua", "default_source_code": {"inline_string": code}}
    return {"name": "envoy.filters.http.lua", "typed_config": config}


_LABELS: Final = Path(__file__).with_name("labels.lua").read_text(encoding="utf-8")
_MERGED: Final = Path(__file__).with_name("merged.lua").read_text(encoding="utf-8")
SPELLING: Final[Json] = lua(_LABELS)


def merging(application: Application) -> Json:
    """A filter that puts what the application tells before what its proxy tells."""
    return lua(f"local PATH = {json.dumps(application.path)}\n{_MERGED}")
