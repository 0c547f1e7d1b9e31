"""The receiver's counts as Prometheus metrics; labels are reasons from `Count`, nothing of peers."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trust_node.imaging.receiver.receiver import Receiver

_TOTALS = {
    "objects": "Images received",
    "bytes": "Bytes of data sets received",
    "associations": "Associations accepted",
    "restarts": "Times that the receiver's process died and was started again",
}
_BY_REASON = {
    "refused": "Associations and connections refused",
    "aborted": "Associations that ended other than by release",
    "failed": "Images that were not kept",
}


@dataclass(frozen=True, slots=True, eq=False)  # a registry keeps it by what it is, not by what it holds
class ReceiverMetrics(Collector):
    """Register once: `prometheus_client.REGISTRY.register(ReceiverMetrics(receiver))`."""

    receiver: Receiver

    def collect(self) -> Iterator[Metric]:
        figures = self.receiver.figures()
        yield GaugeMetricFamily("trustflow_receiver_open", "Associations open", figures["open"])
        for name, text in _TOTALS.items():
            yield CounterMetricFamily(f"trustflow_receiver_{name}", text, figures[name])
        for kind, text in _BY_REASON.items():
            family = CounterMetricFamily(f"trustflow_receiver_{kind}", text, labels=["reason"])
            for name, number in figures.items():
                if name.startswith(f"{kind}."):
                    family.add_metric([name.partition(".")[2]], number)
            yield family
