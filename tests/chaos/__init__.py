"""A chain of three participants under a storm of faults, and a judge that counts afterwards."""
