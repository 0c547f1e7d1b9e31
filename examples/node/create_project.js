// Create a project, print what happens to it, wait for the answer. Needs nothing of Trustflow but its contract.
//
//   node create_project.js "Knees"                  a new command
//   node create_project.js "Knees" <command id>     the same one again: one effect, the same answer

const { randomBytes, randomUUID } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { Kafka, logLevel } = require("kafkajs");

const ACCEPTED = "trustflow.project.command_accepted.v1";
const REJECTED = "trustflow.project.command_rejected.v1";
const TOPIC = "project.events";
const ANSWERED_WITHIN_MS = 30_000;

const authority = process.env.TRUSTFLOW_KAFKA_CA_FILE;
const kafka = new Kafka({
  brokers: process.env.TRUSTFLOW_KAFKA_BOOTSTRAP.split(","),
  ssl: authority ? { ca: readFileSync(authority) } : false,
  sasl: {
    mechanism: "scram-sha-512",
    username: "backend",
    password: readFileSync(process.env.TRUSTFLOW_BACKEND_PASSWORD_FILE, "utf8").trim(),
  },
  logLevel: logLevel.ERROR,
});

// The envelope: CloudEvents attributes, one header each.
function headers(commandId, type, subject) {
  return {
    ce_specversion: "1.0",
    ce_id: commandId,
    ce_type: type,
    ce_source: "/backend",
    ce_time: new Date().toISOString(),
    ce_subject: subject,
    ce_dataschema: "urn:" + type.replaceAll(".", ":"),
    ce_correlationid: commandId,
    ce_traceparent: `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`,
    "content-type": "application/json",
  };
}

// Print every event of the project until the command's answer comes. kafkajs reads in groups only: this is one of
// our own, which never commits and begins where the topic ends now.
async function listen(projectId, commandId) {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `backend.${randomUUID()}`, maxWaitTimeInMs: 500 });
  await Promise.all([admin.connect(), consumer.connect()]);
  const ends = await admin.fetchTopicOffsets(TOPIC);
  await consumer.subscribe({ topic: TOPIC });
  let resolve;
  const answer = new Promise((found) => (resolve = found));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      if (message.key?.toString() !== projectId) return;
      const type = message.headers.ce_type.toString();
      const event = JSON.parse(message.value);
      console.log(type, JSON.stringify(event));
      if ([ACCEPTED, REJECTED].includes(type) && event.command_id === commandId) resolve({ type, event });
    },
  });
  for (const { partition, offset } of ends) consumer.seek({ topic: TOPIC, partition, offset });
  return { answer, stop: () => Promise.all([admin.disconnect(), consumer.disconnect()]) };
}

async function main(name, commandId = randomUUID()) {
  const projectId = `p-${commandId}`;
  const { answer, stop } = await listen(projectId, commandId); // before the command is sent, or its answer may be missed
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const value = JSON.stringify({ actor: "ada", project_id: projectId, name });
  const message = { key: projectId, value, headers: headers(commandId, "trustflow.project.create.v1", projectId) };
  await producer.send({ topic: "project.commands", acks: -1, messages: [message] });
  const late = setTimeout(() => { throw new Error("no answer"); }, ANSWERED_WITHIN_MS);
  const { type, event } = await answer;
  clearTimeout(late);
  console.log(type === ACCEPTED ? "accepted" : `rejected: ${event.code}: ${event.reason}`);
  await Promise.all([stop(), producer.disconnect()]);
}

main(...process.argv.slice(2));
