"""Create a project, print what happens to it, wait for the answer. Needs nothing of Trustflow but its contract.

python create_project.py "Knees"                  # a new command
python create_project.py "Knees" <command id>     # the same one again: one effect, the same answer
"""

import asyncio
import json
import os
import ssl
import sys
import uuid
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

ACCEPTED = "trustflow.project.command_accepted.v1"
REJECTED = "trustflow.project.command_rejected.v1"
ANSWERED_WITHIN_S = 30


def login():
    authority = os.environ.get("TRUSTFLOW_KAFKA_CA_FILE")
    with open(os.environ["TRUSTFLOW_BACKEND_PASSWORD_FILE"]) as file:
        password = file.read().strip()
    return {
        "bootstrap_servers": os.environ["TRUSTFLOW_KAFKA_BOOTSTRAP"],
        "security_protocol": "SASL_SSL" if authority else "SASL_PLAINTEXT",
        "ssl_context": ssl.create_default_context(cafile=authority) if authority else None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "backend",
        "sasl_plain_password": password,
    }


def headers(command_id, type_, subject):
    """The envelope: CloudEvents attributes, one header each."""
    attributes = {
        "specversion": "1.0",
        "id": command_id,
        "type": type_,
        "source": "/backend",
        "time": datetime.now(UTC).isoformat(),
        "subject": subject,
        "dataschema": "urn:" + type_.replace(".", ":"),
        "correlationid": command_id,
        "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
    }
    binary = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return [*binary, ("content-type", b"application/json")]


async def at_the_end(consumer, topic):
    """Be there before the command is sent, or its answer may be missed."""
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    await asyncio.gather(*(consumer.position(partition) for partition in partitions))


async def answer_to(command_id, project_id, consumer):
    """Print every event of the project until the command's answer comes, and return that."""
    while True:
        record = await consumer.getone()
        if record.key != project_id.encode():
            continue
        type_ = dict(record.headers)["ce_type"].decode()
        event = json.loads(record.value)
        print(type_, json.dumps(event))
        if type_ in (ACCEPTED, REJECTED) and event["command_id"] == command_id:
            return type_, event


async def main(name, command_id):
    project_id = f"p-{command_id}"
    command = {"actor": "ada", "project_id": project_id, "name": name}
    async with AIOKafkaConsumer("project.events", **login()) as consumer, AIOKafkaProducer(**login()) as producer:
        consumer.unsubscribe()
        await at_the_end(consumer, "project.events")
        await producer.send_and_wait(
            "project.commands",
            json.dumps(command).encode(),
            key=project_id.encode(),
            headers=headers(command_id, "trustflow.project.create.v1", project_id),
        )
        type_, answer = await asyncio.wait_for(answer_to(command_id, project_id, consumer), ANSWERED_WITHIN_S)
    return "accepted" if type_ == ACCEPTED else f"rejected: {answer['code']}: {answer['reason']}"


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else str(uuid.uuid4()))))
