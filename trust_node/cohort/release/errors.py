"""Why a question gets no number at all; both words and codes are the same whatever the data are."""


class BudgetSpentError(Exception):
    """No answer is left; `str()` says in a sentence which budget is spent and when it is new."""

    code = "budget_spent"


class TooFineError(Exception):
    """A key of the table has too many levels to be grouped by. The question counts: commit the transaction."""

    code = "too_fine"
