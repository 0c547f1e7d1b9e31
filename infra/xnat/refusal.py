"""The one way in which a request is turned down."""

from http import HTTPStatus


class Refusal(Exception):
    """A request that is not carried out: the HTTP status and one sentence naming the remedy."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def bad_request(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, sentence)


def not_found(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, sentence)


def conflict(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.CONFLICT, sentence)


def forbidden(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.FORBIDDEN, sentence)


def too_large(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)


def not_served(sentence: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_IMPLEMENTED, sentence)
