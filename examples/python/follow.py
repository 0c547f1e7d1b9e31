"""Follow one aggregate from where you left off, such as a run: every event once, also over restarts.

python follow.py training.events <run id> bookmark.json trustflow.training.run_finished.v1
"""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

from create_project import login


def read_bookmark(file):
    if not os.path.exists(file):
        return {}
    with open(file) as bookmark:
        return {int(partition): offset for partition, offset in json.load(bookmark).items()}


def write_bookmark(file, offsets):
    """Complete or not at all. With a database, write it in the transaction that changes your view."""
    with open(file + ".new", "w") as bookmark:
        json.dump(offsets, bookmark)
    os.replace(file + ".new", file)


async def main(topic, key, file, last_type):
    offsets = read_bookmark(file)
    async with AIOKafkaConsumer(topic, auto_offset_reset="earliest", **login()) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.unsubscribe()
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, offsets.get(partition.partition, 0))
        async for record in consumer:
            type_ = dict(record.headers).get("ce_type", b"").decode()
            offsets[record.partition] = record.offset + 1
            if record.key == key.encode():
                print(type_, record.value.decode(), flush=True)
                write_bookmark(file, offsets)
                if type_ == last_type:
                    return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
