"""The policy file of each demo trust: written once, then the trust's own to edit."""

from pathlib import Path

from infra.federation import Federation

TEXT = """\
# This trust's own policy. The hub cannot see it and never overrules it; see trust_node/policy.py for every key.
approvers = ["{trust}-approver"]
small_number_threshold = 10
rounding = 5
# The demo's hospitals are so small that noise would hide every cohort; what this gives up: docs/disclosure-control.md.
noise = 0
isolation = "bubblewrap"
threads = 1
"""


def policy_file(federation: Federation, trust: str) -> Path:
    """Return the trust's policy file, made from the demo's defaults where there is none."""
    file = federation.run / f"policy-{trust}.toml"
    if not file.exists():
        file.write_text(TEXT.format(trust=trust))
    return file
