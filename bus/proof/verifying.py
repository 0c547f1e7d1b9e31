"""Does an account still say what it said? Pure: chains and heads in, findings out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bus.proof.audit import BEFORE_THE_FIRST, Account, Head, entry_hash


@dataclass(frozen=True, slots=True)
class Finding:
    """``seq`` is the first entry that is not as it was; ``sentence`` says what is wrong and what to do."""

    participant: str
    seq: int
    code: str
    sentence: str


def verify(account: Account, heads: Iterable[Head]) -> list[Finding]:
    """Recompute a chain and compare it with the heads that others have of it; no finding: nothing was touched."""
    known = [head for head in heads if head.participant == account.participant]
    return [*_in_itself(account), *_against(account, known)]


def _in_itself(account: Account) -> Iterator[Finding]:
    participant = account.participant
    seq, previous = 0, BEFORE_THE_FIRST
    for link in account.entries:
        if link.seq != seq + 1:
            yield _deleted(participant, seq + 1, link.seq - 1)
        elif link.previous != previous:
            yield Finding(participant, link.seq, "broken", f"entry {link.seq} does not follow entry {seq}: {RESTORE}")
        if entry_hash(link.seq, link.entry, link.previous) != link.hash:
            yield Finding(participant, link.seq, "changed", f"entry {link.seq} is not what was written: {RESTORE}")
        seq, previous = link.seq, link.hash
    if account.seq > seq:
        yield _truncated(participant, seq, account.seq, "its own audit_head")
    elif (account.seq, account.hash) != (seq, previous):
        yield Finding(participant, account.seq, "head", f"audit_head is not the chain's end, entry {seq}: {RESTORE}")


def _against(account: Account, heads: Sequence[Head]) -> Iterator[Finding]:
    hashes = {link.seq: link.hash for link in account.entries}
    end = account.entries[-1].seq if account.entries else 0
    for seq, group in groupby(sorted(heads, key=lambda head: (head.seq, head.is_witness)), key=lambda head: head.seq):
        yield from _at(account.participant, seq, end, hashes, list(group))


def _at(participant: str, seq: int, end: int, hashes: Mapping[int, str], heads: Sequence[Head]) -> Iterator[Finding]:
    """What was said on a topic outweighs what a database remembers of it: who owns a database can't change a topic."""
    said = {head.hash for head in heads if not head.is_witness}
    if len(said) > 1:
        places = ", ".join(head.heard_at for head in heads if not head.is_witness)
        sentence = f"{participant} has said two different heads of entry {seq} ({places}): one account was replaced"
        yield Finding(participant, seq, "two_heads", f"{sentence}; find out who could write its database")
    for head in heads:
        if head.is_witness and said and head.hash not in said:
            yield Finding(participant, seq, "witness", f"{head.heard_at} has another head than was said: {RESTORE}")
        elif seq > end:
            yield _truncated(participant, end, seq, head.heard_at)
        elif seq in hashes and head.hash != hashes[seq]:
            sentence = f"entries up to {seq} were rewritten since {head.heard_at}: {RESTORE}"
            yield Finding(participant, seq, "rewritten", sentence)


RESTORE = "restore this database from a backup of before, compare, and find out who could write it"


def _deleted(participant: str, first: int, last: int) -> Finding:
    gone = f"entry {first} is" if first == last else f"entries {first} to {last} are"
    return Finding(participant, first, "deleted", f"{gone} gone: {RESTORE}")


def _truncated(participant: str, end: int, known: int, where: str) -> Finding:
    sentence = f"the chain ends with entry {end}, but {where} knows entry {known}: {RESTORE}"
    return Finding(participant, end + 1, "truncated", sentence)
