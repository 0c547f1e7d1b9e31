"""Why criteria can't be taken: where in the JSON, and what to do about it."""


class CriteriaError(ValueError):
    """`path` is a JSON path (`$.InclusionRules[0].name`), `sentence` names the remedy."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path
        self.sentence = sentence
