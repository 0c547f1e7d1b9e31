"""What the receiver counts, as metrics (Prometheus text format 0.0.4): asked for at the moment of the scrape."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trust_node.imaging.receiver import Count

Figures = Callable[[], Mapping[str, int]]

TOTALS = {
    Count.OBJECTS: ("trustflow_receiver_images", "Images that lie in the spool whole"),
    Count.BYTES: ("trustflow_receiver_bytes", "Bytes of these images"),
    Count.ASSOCIATIONS: ("trustflow_receiver_associations", "Associations accepted"),
    Count.RESTARTS: ("trustflow_receiver_restarts", "Times the receiver's process was started anew"),
}
BY_CAUSE = {
    "refused": ("trustflow_receiver_refused", "Associations refused"),
    "aborted": ("trustflow_receiver_aborted", "Associations that ended before their release"),
    "failed": ("trustflow_receiver_failed", "Images answered with a failure"),
}


class ReceiverCollector(Collector):
    """Reads the figures of one receiver for as long as it is registered."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_: object) -> None:
        REGISTRY.unregister(self)

    def describe(self) -> Iterator[Metric]:
        """Say nothing yet: the registry would ask a receiver that has not begun."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        figures = self._figures()
        yield GaugeMetricFamily("trustflow_receiver_open", "Associations open now", value=figures[Count.OPEN])
        for count, (name, text) in TOTALS.items():
            yield CounterMetricFamily(name, text, value=figures[count])
        for family, (name, text) in BY_CAUSE.items():
            yield _by_cause(name, text, family, figures)


def _by_cause(name: str, text: str, family: str, figures: Mapping[str, int]) -> Metric:
    metric = CounterMetricFamily(name, text, labels=["cause"])
    for count, value in figures.items():
        kind, _, cause = count.partition(".")
        if cause and kind == family:
            metric.add_metric([cause], value)
    return metric
