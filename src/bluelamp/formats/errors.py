"""The one family of errors that reading a format can raise."""


class FormatError(ValueError):
    """Something handed in does not follow the format; the message says what and where, in a sentence."""
