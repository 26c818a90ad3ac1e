"""Warm-up requests of TensorFlow Serving: TFRecords of `PredictionLog`, run when a model loads.

A server answers its first request after tracing and allocating; warm-up does that before it takes any.
A failing record fails the load, so the file is a self-test of the deployment as well. The three
messages involved are written by hand: their stubs come with `tensorflow-serving-api`, which an export
should not need.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
LENGTH_DELIMITED = 2  # wire type of strings and messages, the only one used here
# Field numbers, from tensorflow_serving/apis/{prediction_log,predict,model}.proto
PREDICTION_LOG__PREDICT_LOG = 6
PREDICT_LOG__REQUEST = 1
REQUEST__MODEL_SPEC, REQUEST__INPUTS = 1, 2
MODEL_SPEC__SIGNATURE_NAME = 3
MAP__KEY, MAP__VALUE = 1, 2


def write(path, requests):
    """Write warm-up requests beside a SavedModel.

    Args:
        path: the version folder.
        requests: list of `(signature name, {input name: array})`.
    """
    file = Path(path) / FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in requests:
            writer.write(_encode(signature, inputs))


def read(path):
    """The requests of a version folder, as `write` takes them.

    Raises:
        ValueError: there is no such file, it is empty, or a record is none.
    """
    file = Path(path) / FILE
    if not file.is_file():
        raise ValueError(f"There are no warm-up requests in {path}: expected {FILE}.")
    try:
        requests = [_decode(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    except (
        tf.errors.DataLossError,
        DecodeError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(
            f"{file} is damaged, or holds a record that is no request to a signature: export it again. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    if not requests:  # as TensorFlow reads a file shorter than the head of a record
        raise ValueError(f"{file} holds no warm-up request. Received: {file.stat().st_size} bytes")
    return requests


def _encode(signature, inputs):
    spec = _field(MODEL_SPEC__SIGNATURE_NAME, signature.encode())
    request = _field(REQUEST__MODEL_SPEC, spec)
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        entry = _field(MAP__KEY, name.encode()) + _field(MAP__VALUE, tensor)
        request += _field(REQUEST__INPUTS, entry)
    return _field(PREDICTION_LOG__PREDICT_LOG, _field(PREDICT_LOG__REQUEST, request))


def _decode(record):
    (log,) = _fields(record)[PREDICTION_LOG__PREDICT_LOG]
    (request,) = _fields(log)[PREDICT_LOG__REQUEST]
    request = _fields(request)
    (spec,) = request[REQUEST__MODEL_SPEC]
    (signature,) = _fields(spec)[MODEL_SPEC__SIGNATURE_NAME]
    inputs = {}
    for entry in map(_fields, request.get(REQUEST__INPUTS, [])):
        tensor = tensor_pb2.TensorProto.FromString(entry[MAP__VALUE][0])
        inputs[entry[MAP__KEY][0].decode()] = np.asarray(tf.make_ndarray(tensor))
    return signature.decode(), inputs


def _field(number, payload):
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _fields(message):
    """`{field number: [payload, ...]}` of a message of length-delimited fields."""
    fields, at = {}, 0

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(message):
        key, length = varint(), varint()
        if key & 7 != LENGTH_DELIMITED or at + length > len(message):
            raise ValueError(f"unexpected field {key >> 3} of wire type {key & 7}")
        fields.setdefault(key >> 3, []).append(message[at : at + length])
        at += length
    return fields
