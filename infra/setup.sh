#!/usr/bin/env bash
# Installs what this machine lacks: Debian packages, the virtual environment, Kafka's jars. Safe to call at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

STAMP=build/setup.sha256
export UV_CACHE_DIR="$PWD/build/cache/uv" PIP_CACHE_DIR="$PWD/build/cache/pip"

inputs() {
    cat requirements.txt pyproject.toml infra/uv.txt infra/setup.sh infra/kafka/pom.xml \
        examples/node/package*.json tests/contract/asyncapi/package*.json | sha256sum
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

missing_packages() {
    local java
    java=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1 || true)
    [ "${java:-0}" -ge 17 ] || echo openjdk-17-jre-headless
    command -v mvn >/dev/null || echo maven
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
    command -v psql >/dev/null || echo postgresql-client
    [ -x /usr/sbin/Orthanc ] || echo orthanc
    [ -x /usr/sbin/nginx ] || echo nginx-light
    compgen -G '/usr/share/orthanc/plugins/libOrthancDicomWeb.so*' >/dev/null || echo orthanc-dicomweb
    command -v storescu >/dev/null || echo dcmtk
    command -v dciodvfy >/dev/null || echo dicom3tools
    command -v chromium >/dev/null || echo chromium
    command -v kcat >/dev/null || echo kcat
    command -v bwrap >/dev/null || echo bubblewrap
    command -v promtool >/dev/null || echo prometheus
    [ -x .venv/bin/python ] || python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

# Debian starts what it installs; only these packages, only now, are told not to.
without_starting_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then "$@"; return; fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    "$@"
    as_root rm -f "$policy"
    trap - EXIT
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" -gt 0 ] || return 0
    echo "installing from Debian: ${packages[*]}"
    as_root apt-get update -q
    without_starting_services as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${packages[@]}"
}

install_python() {
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/pip install -q --require-hashes -r infra/uv.txt
    .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r requirements.txt
    .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
    # Sandboxes cannot write bytecode, and torch takes three times as long without; a few files are templates.
    .venv/bin/python -m compileall -q -j 0 .venv/lib/python3*/site-packages >build/compileall.log 2>&1 || true
}

main() {
    if [ -x .venv/bin/trustflow ] && [ -f "$STAMP" ] && [ "$(inputs)" = "$(cat "$STAMP")" ]; then return; fi
    mkdir -p build
    install_packages
    echo "installing Python packages (PyTorch is large)"
    install_python
    echo "fetching Kafka's jars"
    .venv/bin/python -m infra.kafka.jars
    echo "fetching what the examples and the check of the AsyncAPI document need from npm"
    .venv/bin/python -m infra.node
    inputs >"$STAMP"
}

main
