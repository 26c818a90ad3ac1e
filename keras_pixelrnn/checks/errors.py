"""Errors inside the text of another library's."""

import builtins
import re

# What Python raises while TensorFlow reads ahead comes out with its traceback around it.
RAISED = re.compile(r"\b(\w+(?:Error|Exception)): (.*?)\n(?:Traceback|\n)", re.DOTALL)


def inside(error):
    """The error that Python raised, for which TensorFlow's pipeline raises another; None where there is
    none. Of a class that Python does not know it is a `ValueError`.

    Example:

    >>> inside(RuntimeError("{{node}} ValueError: Expected codes. Received: 70\\nTraceback (most ..."))
    ValueError('Expected codes. Received: 70')
    """
    found = RAISED.search(str(error))
    if found is None:
        return None
    kind = getattr(builtins, found[1], ValueError)
    if issubclass(kind, UnicodeError):  # made of more than words
        kind = ValueError
    return kind(found[2]) if issubclass(kind, Exception) else None
