"""Figures for Prometheus, of one server."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CACHED = {"hits": "thumbnails that were held", "misses": "thumbnails that were drawn"}


class Metrics:
    """Counts requests and what they took; asks others for what they hold when it is read."""

    def __init__(self) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "mapsight_requests",
            "requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mapsight_request_seconds",
            "seconds until an answer was sent",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._gauges: dict[str, Gauge] = {}
        self._cached = {
            name: Counter(f"mapsight_cache_{name}", text, registry=self._registry)
            for name, text in CACHED.items()
        }
        self._refreshes = Counter(
            "mapsight_refreshes",
            "new states of the workspace, by how opening them ended",
            ("result",),
            registry=self._registry,
        )

    def add_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def add_refresh(self, result: str) -> None:
        """Count a new state: `opened` or `failed`."""
        self._refreshes.labels(result).inc()

    def add_cached(self, name: str) -> None:
        """Count a thumbnail that was asked for: `hits` or `misses`."""
        self._cached[name].inc()

    def add_gauge(self, name: str, text: str, value: Callable[[], float], **labels: str) -> None:
        """Have a figure read whenever the figures are asked for."""
        if name not in self._gauges:
            named = f"mapsight_{name}", text, tuple(labels)
            self._gauges[name] = Gauge(*named, registry=self._registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set_function(value)

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        return generate_latest(self._registry)
