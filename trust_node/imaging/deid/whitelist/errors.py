"""What can be wrong with a white list."""


class WhitelistError(ValueError):
    """A list that can't be used; the sentence names the line or the element, and the remedy."""
