"""What griffe needs to be told of the docstrings of this package."""

import re

import griffe

# Lines from `>>>` to the next empty one, at the margin of the docstring.
DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Examples as Keras writes them, not indented below their heading, become blocks of code."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring is not None:
            text = re.sub(r"^Example:$", "**Example**", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = DOCTEST.sub(lambda match: f"```pycon\n{match[0]}\n```", text)
