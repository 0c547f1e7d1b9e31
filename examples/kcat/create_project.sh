#!/usr/bin/env bash
# Create a project with kcat and wait for the answer.
#
#   create_project.sh Knees                  a new command
#   create_project.sh Knees <command id>     the same one again: one effect, the same answer
set -euo pipefail

name=$1
id=${2:-$(cat /proc/sys/kernel/random/uuid)}
project=p-$id
type=trustflow.project.create.v1
since=$(($(date +%s%3N) - 10000))
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

printf '{"actor": "ada", "project_id": "%s", "name": "%s"}\n' "$project" "$name" |
    kcat -F "$TRUSTFLOW_BACKEND_KCAT_CONFIG" -P -t project.commands -k "$project" \
        -X acks=all -X enable.idempotence=true -X partitioner=murmur2_random \
        -H ce_specversion=1.0 -H "ce_id=$id" -H "ce_type=$type" -H ce_source=/backend \
        -H "ce_time=$(date -u +%FT%TZ)" -H "ce_subject=$project" -H "ce_dataschema=urn:${type//./:}" \
        -H "ce_correlationid=$id" -H "ce_traceparent=00-$(hex 16)-$(hex 8)-01" -H content-type=application/json

until kcat -F "$TRUSTFLOW_BACKEND_KCAT_CONFIG" -C -q -e -t project.events -o "s@$since" -f '%s\n' 2>/dev/null |
    grep -F "\"command_id\":\"$id\""; do
    sleep 0.5
done
