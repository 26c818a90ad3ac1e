"""Draw images from TensorFlow Serving over gRPC and save them.

pip install 'keras-pixelrnn[serving]'
python grpc_client.py --address localhost:8500 --model digits --seeds 1 2 3
python grpc_client.py --grow --seeds 1      # some rows at a time, where the export has `sample_rows`
"""

import argparse
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

# Of answers; gRPC's own limit is 4 MiB, which maps and states of many images exceed.
ANY_SIZE = [("grpc.max_receive_message_length", -1)]


class MarkedRows(ValueError):
    """Rows whose input the model has no answer for; other rows were answered.

    Attributes:
        rows: their numbers, ascending.
        outputs: `{output: array}` of all rows.
    """

    def __init__(self, rows, outputs):
        super().__init__(
            f"The server marked rows {rows} by -inf: their image has a value outside the model's "
            "levels, their label is no class, a seed, context or control is outside its range, or a "
            "state is of another row or version of the model."
        )
        self.rows, self.outputs = rows, outputs


def check_rows(outputs):
    """Raise `MarkedRows` where a row of `{output: array}` is marked."""
    nats = next((outputs[name] for name in ("log_prob", "nats") if name in outputs), None)
    if nats is not None:
        fit = np.isfinite(nats).reshape(len(nats), -1).all(axis=1)
        if not fit.all():
            raise MarkedRows(np.flatnonzero(~fit).tolist(), outputs)


def connected(address):
    """A channel to a server; gRPC itself writes lines of its own where there is no address."""
    if not address.strip():
        raise ValueError(
            f"The address must be HOST:PORT, localhost:8500 say. Received: {address!r}"
        )
    return grpc.insecure_channel(address, ANY_SIZE)


def predict(address, model, signature, inputs, timeout=120):
    """`{output: array}` of a signature for `{input: array}`.

    Raises:
        grpc.RpcError: the server refused the request.
        ValueError: `address` is empty.
        MarkedRows: a row of it.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout)
    outputs = {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}
    check_rows(outputs)
    return outputs


def shape_of(address, model, signature, kind, name):
    """Sizes of a tensor of a signature, -1 where any will do; `kind` is "inputs" or "outputs".

    Raises:
        grpc.RpcError: the server refused the request.
        ValueError: the model has no such signature, or `address` is empty.
    """
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    with connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.GetModelMetadata(request, 120)
    found = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(found)
    if signature not in found.signature_def:
        raise ValueError(f"{model} has no signature {signature!r}: {sorted(found.signature_def)}")
    tensor = getattr(found.signature_def[signature], kind)[name]
    return [dim.size for dim in tensor.tensor_shape.dim]


def grow(address, model, seeds):
    """Rows `(batch, rows, width, channels)` of the images of `sample`, as they are drawn."""
    height = shape_of(address, model, "log_prob", "inputs", "image")[1]
    size = shape_of(address, model, "sample_rows", "inputs", "state")[1]
    state, row = np.zeros((len(seeds), size), np.float32), 0
    while row < height:
        inputs = {"seed": seeds, "row": np.full(len(seeds), row, np.int32), "state": state}
        drawn = predict(address, model, "sample_rows", inputs)
        state = drawn["state"]
        yield drawn["image"][:, : height - row]  # the last ones may lie below the image
        row += drawn["image"].shape[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="localhost:8500")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=Path("."))
    parser.add_argument("--grow", action="store_true", help="print images as they are drawn")
    args = parser.parse_args()
    try:
        draw(args)
    except grpc.RpcError as error:
        parser.exit(1, f"{args.address} answered {error.code().name}: {error.details()}\n")
    except (ValueError, OSError, OverflowError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


def draw(args):
    if args.grow:
        for rows in grow(args.address, args.model, np.array(args.seeds, np.int64)):
            for line in np.concatenate(list(rows), axis=1)[..., 0]:  # images side by side
                print(" ".join(f"{value:3d}" for value in line), flush=True)
        return
    drawn = predict(args.address, args.model, "sample", {"seed": np.array(args.seeds, np.int64)})
    for seed, png, nats in zip(args.seeds, drawn["png_bytes"], drawn["log_prob"], strict=True):
        file = args.output / f"grpc-{seed}.png"
        file.write_bytes(png)
        print(f"{file}: {nats:.3f} nats")


if __name__ == "__main__":
    main()
