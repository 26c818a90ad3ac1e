"""Errors of this package inside the text of another library's."""

import re

# What is raised while TensorFlow reads ahead comes out with its traceback around it.
OURS = re.compile(r"(?:ValueError|UnreadableError): (.*?)\n(?:Traceback|\n)", re.DOTALL)


def inside(error):
    """What an error of TensorFlow's pipelines was raised for here, in words; None where it is another.

    Example:

    >>> inside(RuntimeError("{{node}} ValueError: Expected codes. Received: 70\\nTraceback (most ..."))
    'Expected codes. Received: 70'
    """
    found = OURS.search(str(error))
    return found and found[1]
