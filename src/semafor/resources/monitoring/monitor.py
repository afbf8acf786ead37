"""What PodMonitor and ServiceMonitor have in common. Source: the Prometheus operator's API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.refs import SecretKeySelector
from semafor.resources.marks import ATOMIC, SET, Quantity
from semafor.resources.monitoring.scraping import (
    AttachMetadata,
    BasicAuth,
    OAuth2,
    RelabelConfig,
    SafeAuthorization,
)


class ScrapedPort(Document):
    """What is the same for every port that is scraped."""

    path: Annotated[str, "Path of the request; /metrics when absent."] = ""
    scheme: Annotated[Literal["http", "https"] | None, "http or https."] = None
    params: Annotated[dict[str, tuple[str, ...]], "Parameters of the query."] = {}
    interval: Annotated[str, "Time between scrapes."] = ""
    scrape_timeout: Annotated[str, "Longest time for a scrape."] = ""
    honor_labels: Annotated[bool, "Whether the target's labels win over Prometheus' own."] = False
    honor_timestamps: Annotated[bool | None, "Whether the target's times are taken."] = None
    track_timestamps_staleness: Annotated[bool | None, "Whether series with times of their own can end."] = None
    metric_relabelings: Annotated[tuple[RelabelConfig, ...], ATOMIC, "Changes of the series' labels."] = ()
    relabelings: Annotated[tuple[RelabelConfig, ...], ATOMIC, "Changes of the target's labels."] = ()
    filter_running: Annotated[bool | None, "Whether pods that have ended are left out."] = None
    authorization: Annotated[SafeAuthorization | None, "An Authorization header."] = None
    basic_auth: Annotated[BasicAuth | None, "A name and a password."] = None
    oauth2: Annotated[OAuth2 | None, "A token from an OAuth server."] = None
    bearer_token_secret: Annotated[SecretKeySelector | None, ATOMIC, "Obsolete: use authorization."] = None
    proxy_url: Annotated[str | None, "Proxy to use."] = None
    no_proxy: Annotated[str | None, "Hosts that are called without the proxy."] = None
    proxy_from_environment: Annotated[bool | None, "Whether the proxy comes from the environment."] = None
    proxy_connect_header: Annotated[dict[str, tuple[SecretKeySelector, ...]], "Headers for the proxy."] = {}
    follow_redirects: Annotated[bool | None, "Whether redirects are followed."] = None
    enable_http2: Annotated[bool | None, "Whether HTTP/2 is used."] = None


class MonitorSpec(Document):
    """What is the same for every choice of targets."""

    pod_target_labels: Annotated[tuple[str, ...], ATOMIC, "Labels of the pods that the series get."] = ()
    selector_mechanism: Annotated[Literal["RelabelConfig", "RoleSelector"] | None, "How they are chosen."] = None
    sample_limit: Annotated[int | None, "Most samples of a scrape."] = None
    target_limit: Annotated[int | None, "Most targets."] = None
    scrape_protocols: Annotated[
        tuple[
            Literal[
                "PrometheusProto",
                "OpenMetricsText0.0.1",
                "OpenMetricsText1.0.0",
                "PrometheusText0.0.4",
                "PrometheusText1.0.0",
            ],
            ...,
        ],
        SET,
        "Formats that are asked for, the first one first.",
    ] = ()
    fallback_scrape_protocol: Annotated[
        Literal[
            "PrometheusProto",
            "OpenMetricsText0.0.1",
            "OpenMetricsText1.0.0",
            "PrometheusText0.0.4",
            "PrometheusText1.0.0",
        ]
        | None,
        "Format when the target names none.",
    ] = None
    label_limit: Annotated[int | None, "Most labels of a series."] = None
    label_name_length_limit: Annotated[int | None, "Greatest length of a label's name."] = None
    label_value_length_limit: Annotated[int | None, "Greatest length of a label's value."] = None
    scrape_classic_histograms: Annotated[bool | None, "Whether classic histograms are read besides native ones."] = None
    native_histogram_bucket_limit: Annotated[int | None, "Most buckets of a native histogram."] = None
    native_histogram_min_bucket_factor: Annotated[Quantity | None, "Least growth from one bucket to the next."] = None
    convert_classic_histograms_to_nhcb: Annotated[bool | None, "Whether classic histograms become native ones."] = (
        msgspec.field(name="convertClassicHistogramsToNHCB", default=None)
    )
    keep_dropped_targets: Annotated[int | None, "How many dropped targets are remembered."] = None
    attach_metadata: Annotated[AttachMetadata | None, "What is added to the targets."] = None
    scrape_class: Annotated[str | None, "Scrape class to use."] = None
    body_size_limit: Annotated[str | None, "Greatest size of an answer."] = None
