"""Draw images from TensorFlow Serving over gRPC and save them.

pip install 'keras-pixelrnn[serving]'
python grpc_client.py --address localhost:8500 --model digits --seeds 1 2 3
"""

import argparse
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class MarkedRows(ValueError):
    """Rows whose input the model has no answer for; other rows were answered.

    Attributes:
        rows: their numbers, ascending.
        outputs: `{output: array}` of all rows.
    """

    def __init__(self, rows, outputs):
        super().__init__(
            f"The server marked rows {rows} by -inf: their image has a value outside the model's "
            "levels, their label is no class, or a seed, context or control is outside its range."
        )
        self.rows, self.outputs = rows, outputs


def check_rows(outputs):
    """Raise `MarkedRows` where a row of `{output: array}` is marked."""
    nats = next((outputs[name] for name in ("log_prob", "nats") if name in outputs), None)
    if nats is not None:
        fit = np.isfinite(nats).reshape(len(nats), -1).all(axis=1)
        if not fit.all():
            raise MarkedRows(np.flatnonzero(~fit).tolist(), outputs)


def predict(address, model, signature, inputs, timeout=120):
    """`{output: array}` of a signature for `{input: array}`.

    Raises:
        grpc.RpcError: the server refused the request.
        MarkedRows: a row of it.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout)
    outputs = {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}
    check_rows(outputs)
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="localhost:8500")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=Path("."))
    args = parser.parse_args()
    drawn = predict(args.address, args.model, "sample", {"seed": np.array(args.seeds, np.int64)})
    for seed, png, nats in zip(args.seeds, drawn["png_bytes"], drawn["log_prob"], strict=True):
        file = args.output / f"grpc-{seed}.png"
        file.write_bytes(png)
        print(f"{file}: {nats:.3f} nats")


if __name__ == "__main__":
    main()
