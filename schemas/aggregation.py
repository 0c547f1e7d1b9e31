"""Aggregation: what the aggregator found in an update, and the next global model."""

from schemas.ids import Code, Count, Id, Sentence, TrustId
from schemas.manifest import Manifest
from schemas.message import Message
from schemas.training import Metrics


class AggregationEvent(Message, topic="aggregation.events", key="run_id"):
    run_id: Id
    round: Count


class UpdateVerified(AggregationEvent, type="trustflow.aggregation.update_verified.v1"):
    """Every part has its digest, every tensor its shape, every number is finite."""

    trust_id: TrustId
    examples: int
    metrics: Metrics
    manifest: Manifest


class UpdateRefused(AggregationEvent, type="trustflow.aggregation.update_refused.v1"):
    trust_id: TrustId
    code: Code
    reason: Sentence


class ModelAggregated(AggregationEvent, type="trustflow.aggregation.model_aggregated.v1"):
    """The global model after this round; ``folded`` names the trusts in the order of the sum."""

    manifest: Manifest
    folded: tuple[TrustId, ...]
    seconds: float


class AggregationFailed(AggregationEvent, type="trustflow.aggregation.failed.v1"):
    code: Code
    reason: Sentence
