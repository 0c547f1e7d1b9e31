"""How much of this machine a peer may take."""

from dataclasses import dataclass

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds; whoever exceeds one is refused or aborted, and nobody else notices.

    Attributes
    ----------
    pdu
        Longest P-DATA-TF that a peer may send, told to it when the association is made (PS3.8 D.1). 128 KiB are a
        fifth faster than the usual 16 KiB; larger gains nothing.
    request
        Longest A-ASSOCIATE-RQ: 128 contexts of a dozen transfer syntaxes are about 50 KiB.
    command
        Longest DIMSE command set (PS3.7 6.3); a C-STORE's has some 200 bytes.
    object
        Longest data set.
    association, objects
        Bytes and objects that one association may bring.
    associations, associations_each
        Associations open at once, of everybody and of one address.
    negotiation_s
        From the connection to the whole A-ASSOCIATE-RQ, and again for the peer to close at the end: the
        standard's ARTIM timer (PS3.8 9.1.5).
    idle_s
        Between two reads from an association.
    total_s
        An association's whole life.
    free
        Room to leave on the spool's disk; below it objects are refused as out of resources (0xA700).
    """

    pdu: int = 128 * KIB
    request: int = 128 * KIB
    command: int = 16 * KIB
    object: int = 4 * GIB
    association: int = 1024 * GIB
    objects: int = 1_000_000
    associations: int = 32
    associations_each: int = 16
    negotiation_s: float = 10.0
    idle_s: float = 60.0
    total_s: float = 6 * 3600.0
    free: int = GIB
