"""A sheet of metrics: values by name and labels, which it adds up and renders."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from config.metrics.catalog import CHANNEL, Family, Kind
from routing.core.waits import EDGES, Waits

SERIES_OF_HISTOGRAM: Final = len(EDGES) + 3
"""The buckets, the one without an edge, the sum and the count."""

Labels = tuple[str, ...]


class Sheet(Collector):
    """The values of some metrics. A value that is put twice is added up."""

    def __init__(self, families: Collection[Family], *, with_channels: bool = True) -> None:
        """Create an empty sheet.

        Arguments:
            with_channels: whether the label `channel` is kept.
        """
        self._families = families
        self._with_channels = with_channels
        self._values: dict[Family, dict[Labels, float]] = {family: {} for family in families}
        self._waits: dict[Family, dict[Labels, Waits]] = {family: {} for family in families}

    def put(self, family: Family, value: float, *labels: str) -> None:
        """Add a value to a gauge or a counter, or keep the larger one."""
        cells = self._values[family]
        key = self._key(family, labels)
        before = cells.get(key)
        if before is None:
            cells[key] = value
        else:
            cells[key] = max(before, value) if family.takes_largest else before + value

    def put_waits(self, family: Family, waits: Waits, *labels: str) -> None:
        """Add waits to a histogram."""
        self._waits[family].setdefault(self._key(family, labels), Waits()).add(waits)

    def _key(self, family: Family, labels: Labels) -> Labels:
        if self._with_channels:
            return labels
        pairs = zip(family.labels, labels, strict=True)
        return tuple(value for name, value in pairs if name != CHANNEL)

    def without_channels(self) -> Sheet:
        """Return the same sums without the label `channel`."""
        other = Sheet(self._families, with_channels=False)
        for family in self._families:
            for labels, value in self._values[family].items():
                other.put(family, value, *labels)
            for labels, waits in self._waits[family].items():
                other.put_waits(family, waits, *labels)
        return other

    def count_series(self) -> int:
        """Return how many lines with a value it has."""
        values = sum(map(len, self._values.values()))
        return values + SERIES_OF_HISTOGRAM * sum(map(len, self._waits.values()))

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as the client library takes them."""
        for family in self._families:
            names = [name for name in family.labels if self._with_channels or name != CHANNEL]
            if family.kind is Kind.HISTOGRAM:
                yield self._build_histogram(family, names)
                continue
            kind = GaugeMetricFamily if family.kind is Kind.GAUGE else CounterMetricFamily
            made = kind(family.name, family.text, labels=names)
            for labels, value in self._values[family].items():
                made.add_metric(labels, value)
            yield made

    def _build_histogram(self, family: Family, names: list[str]) -> Metric:
        made = HistogramMetricFamily(family.name, family.text, labels=names)
        for labels, waits in self._waits[family].items():
            buckets: list[tuple[str, float]] = []
            seen, place = 0, 0
            for edge in EDGES:
                # A bucket includes its edge, which has the odd place after what lies below it.
                seen += waits.counts.get(place, 0) + waits.counts.get(place + 1, 0)
                place += 2
                buckets.append((f"{edge}.0", seen))
            buckets.append(("+Inf", waits.count))
            made.add_metric(labels, buckets, waits.total_ms / 1000)
        return made

    def render(self) -> bytes:
        """Return it in the text format."""
        return generate_latest(self)
