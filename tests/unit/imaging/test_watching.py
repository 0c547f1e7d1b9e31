"""The receiver's figures, as Prometheus reads them."""

from prometheus_client import REGISTRY

from trust_node.imaging.receiver import Count
from trust_node.imaging.watching import ReceiverCollector

FIGURES = {str(count): place + 1 for place, count in enumerate(Count)}


def test_every_count_is_shown_while_the_receiver_is_open_and_none_afterwards() -> None:
    with ReceiverCollector(lambda: FIGURES):
        shown = [
            sample.value
            for metric in REGISTRY.collect()
            if metric.name.startswith("trustflow_receiver_")
            for sample in metric.samples
        ]
        assert sorted(shown) == sorted(FIGURES.values())
        assert (
            REGISTRY.get_sample_value("trustflow_receiver_refused_total", {"cause": "calling_title"})
            == (FIGURES[Count.REFUSED_CALLING_TITLE])
        )
    assert REGISTRY.get_sample_value("trustflow_receiver_images_total") is None
