"""TensorFlow Serving's JSON of tensors: row format, column format, base64.

`instances` is a list of rows, each `{input: value}` or, where a signature has one input, the value.
`inputs` is `{input: batch}` or the batch. Strings are `{"b64": ...}`, outputs if their name ends in
`_bytes`.
"""

import base64

import numpy as np

from keras_pixelrnn.serving.server.servable import INVALID_ARGUMENT, RequestError


def _refuse(message):
    raise RequestError(INVALID_ARGUMENT, message)


def read_request(body, servable):
    """`(signature, inputs, is_row_format)` of the parsed body of a request."""
    if not isinstance(body, dict):
        _refuse("Request must be a JSON object")
    signature = body.get("signature_name", "")
    if not isinstance(signature, str):
        _refuse("'signature_name' key must be a string value.")
    signature = signature or "serving_default"
    if signature not in servable.signatures:
        _refuse(f'Serving signature name: "{signature}" not found in signature def')
    if ("instances" in body) == ("inputs" in body):
        _refuse("JSON must hold either 'instances' (row format) or 'inputs' (column format)")
    names = sorted(servable.signatures[signature].inputs)
    rows = "instances" in body
    columns = _from_rows(body["instances"], names) if rows else _from_columns(body["inputs"], names)
    return (
        signature,
        {name: to_array(name, columns[name], servable.dtype_of(signature, name)) for name in names},
        rows,
    )


def _from_rows(rows, names):
    if not isinstance(rows, list) or not rows:
        _refuse("'instances' must be a list with at least one instance")
    if isinstance(rows[0], dict) and "b64" not in rows[0]:
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or sorted(row) != names:
                _refuse(f"Instance {number} must be an object with exactly the inputs {names}")
        return {name: [row[name] for row in rows] for name in names}
    if len(names) != 1:
        _refuse(f"Instances must be objects with the inputs {names}")
    return {names[0]: rows}


def _from_columns(inputs, names):
    if isinstance(inputs, dict) and "b64" not in inputs:
        if sorted(inputs) != names:
            _refuse(f"'inputs' must hold exactly {names}. Received: {sorted(inputs)}")
        return inputs
    if len(names) != 1:
        _refuse(f"'inputs' must be an object with {names}")
    return {names[0]: inputs}


KINDS = {"b": bool, "i": int, "u": int, "f": (int, float), "V": (int, float)}  # "V": bfloat16
MOST_DIMENSIONS = 64  # of an array of NumPy


def to_array(name, value, dtype):
    """A JSON value as an array of a dtype, refused where that would change it."""
    if dtype.kind not in KINDS:
        _refuse(
            f"Input {name!r} is of strings, which this development server takes over no protocol"
        )
    wanted = KINDS[dtype.kind]

    def check(part, depth):
        if depth > MOST_DIMENSIONS:
            _refuse(f"Input {name!r} is nested more than {MOST_DIMENSIONS} lists deep")
        if isinstance(part, list):
            for inner in part:
                check(inner, depth + 1)
        elif not isinstance(part, wanted) or (isinstance(part, bool) and wanted is not bool):
            _refuse(f"JSON Value: {part!r} of input {name!r} is not of expected type: {dtype}")

    check(value, 0)
    try:
        with np.errstate(over="ignore"):
            return np.array(value, dtype)
    except OverflowError:
        _refuse(f"A value of input {name!r} is out of range for {dtype}")
    except ValueError:
        _refuse(f"Input {name!r} is ragged: its rows must have one shape")


def write_response(outputs, rows):
    """`{"predictions": [...]}` for the row format, else `{"outputs": ...}`."""
    values = {name: _to_json(name, array) for name, array in outputs.items()}
    if not rows:
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}
    if len(values) == 1:
        return {"predictions": next(iter(values.values()))}
    count = len(next(iter(values.values())))
    return {"predictions": [{name: x[n] for name, x in values.items()} for n in range(count)]}


def _to_json(name, array):
    if array.dtype != object:
        return array.tolist()
    is_binary = name.endswith("_bytes")

    def one(value):
        if isinstance(value, list):
            return [one(inner) for inner in value]
        return {"b64": base64.b64encode(value).decode()} if is_binary else value.decode()

    return one(array.tolist())
