"""Follow one aggregate, such as a run, from where you left off: every event once, over your restarts and ours.

python follow.py training.events <run id> bookmark.json trustflow.training.run_finished.v1
"""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

from create_project import login


def read_bookmark(file):
    """Return the next offset of each partition, and the ids of the events that were shown."""
    if not os.path.exists(file):
        return {}, []
    with open(file) as bookmark:
        found = json.load(bookmark)
    return {int(partition): offset for partition, offset in found["offsets"].items()}, found["seen"]


def write_bookmark(file, offsets, seen):
    """Complete or not at all. With a database, write it in the transaction that changes your view."""
    with open(file + ".new", "w") as bookmark:
        json.dump({"offsets": offsets, "seen": seen}, bookmark)
    os.replace(file + ".new", file)


async def main(topic, key, file, last_type):
    offsets, seen = read_bookmark(file)
    async with AIOKafkaConsumer(topic, **login()) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.unsubscribe()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)  # of what the broker still keeps
        for partition, offset in offsets.items():
            consumer.seek(TopicPartition(topic, partition), offset)
        async for record in consumer:
            headers = dict(record.headers)
            type_, id_ = (headers.get(name, b"").decode() for name in ("ce_type", "ce_id"))
            offsets[record.partition] = record.offset + 1
            if record.key != key.encode() or id_ in seen:
                continue
            print(type_, record.value.decode(), flush=True)
            seen.append(id_)
            write_bookmark(file, offsets, seen)
            if type_ == last_type:
                return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
