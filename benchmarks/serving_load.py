"""Mixed requests against a server: every answer compared with the answer alone, times, memory.

    python -m benchmarks.serving_load saved_models/digits/1                  # `pixelrnn serve` of it
    python -m benchmarks.serving_load saved_models/digits/1 --address localhost:8500   # one that runs

20,000 requests of 32 clients to all signatures over gRPC, 1 to 3 rows each. Each is one of 60 whose
answers were computed alone, before. Integers must be equal and nats within 1e-3; an image may depart
where rounding decides a draw: counted, and wrong where more than one in a thousand does. Memory is that
of the server's process, after a tenth of the requests and at the end.
"""

import argparse
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from benchmarks.serving_requests import inputs_of, resident_mib, version_folder
from keras_pixelrnn.serving.server import Servable

KINDS = 60


def requests_for(servable, rng):
    """`KINDS` requests `(signature, {input: array})`, over all signatures."""
    made = []
    names = sorted(set(servable.signatures) - {"serving_default"})
    for number, name in zip(range(KINDS), itertools.cycle(names)):
        inputs = inputs_of(servable, name, 1 + number % 3, rng)
        if name.startswith("sample_rows"):  # an image is begun, or gone on with
            inputs["row"], inputs["state"] = inputs["row"] * 0, inputs["state"] * 0
            if len(made) // len(names) % 2:
                begun = servable.predict(name, inputs)
                inputs["row"] += begun["image"].shape[1]
                inputs["state"] = begun["state"]
        made.append((name, inputs))
    return made


def proto(model, signature, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def departs(answer, expected):
    """None where an answer is the one expected; else "rounding" or the output that is wrong."""
    found = {name: tf.make_ndarray(answer.outputs[name]) for name in expected}
    same = np.ones(len(next(iter(expected.values()))), bool)  # rows whose image is the one expected
    if "image" in expected and found["image"].shape == expected["image"].shape:
        same = (found["image"] == expected["image"]).reshape(len(same), -1).all(axis=1)
    for name, value in expected.items():
        if found[name].shape != value.shape:
            return name
        ours, theirs = found[name][same], value[same]
        if value.dtype.kind != "f":
            fits = np.array_equal(ours, theirs)
        else:
            fits = np.allclose(ours, theirs, atol=1e-3) and np.isfinite(found[name]).all()
        if not fits:
            return name
    return None if same.all() else "rounding"


def load(address, model, kinds, expected, count, clients, pid):
    """Send `count` requests; prints times for each signature and what departed."""
    messages = [proto(model, *kind) for kind in kinds]
    order = np.random.default_rng(1).integers(0, len(kinds), count)
    seconds, wrong, memory = np.zeros(count), [], []
    numbers, lock = itertools.count(), threading.Lock()

    def client():
        with grpc.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while True:
                with lock:
                    number = next(numbers)
                    if number == count // 10 and pid:
                        memory.append(resident_mib(pid))
                if number >= count:
                    return
                start = time.perf_counter()
                answer = stub.Predict(messages[order[number]], 300)
                seconds[number] = time.perf_counter() - start
                problem = departs(answer, expected[order[number]])
                if problem:
                    wrong.append((int(order[number]), problem))

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as threads:
        for future in [threads.submit(client) for _ in range(clients)]:
            future.result()
    took = time.perf_counter() - start
    if pid:
        memory.append(resident_mib(pid))
    print(f"{count} requests of {clients} clients in {took:.1f} s: {count / took:.1f} a second")
    print("| signature | requests | p50 ms | p99 ms |\n|---|---|---|---|")
    names = np.array([name for name, _ in kinds])[order]
    for name in sorted(set(names)):
        of = seconds[names == name] * 1000
        print(f"| {name} | {len(of)} | {np.median(of):.1f} | {np.percentile(of, 99):.1f} |")
    rounding = [one for one in wrong if one[1] == "rounding"]
    print(f"departed by rounding: {len(rounding)}; wrong: {len(wrong) - len(rounding)}")
    if memory:
        growth = memory[1] / memory[0] - 1
        print(
            f"memory {memory[0]:.0f} MiB after a tenth, {memory[1]:.0f} at the end: {growth:+.1%}"
        )
    return len(wrong) - len(rounding) + max(0, len(rounding) - count // 1000)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=version_folder, help="version folder of the export")
    parser.add_argument("--address", help="of a server that runs; else one is started")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=32)
    args = parser.parse_args()
    model = args.path.resolve().parent.name
    alone = Servable(model, args.path, batching=False)
    kinds = requests_for(alone, np.random.default_rng(0))
    expected = [alone.predict(*kind) for kind in kinds]
    server, address, pid = None, args.address, None
    if not address:
        command = [sys.executable, "-m", "keras_pixelrnn", "serve", str(args.path)]
        server = subprocess.Popen(
            [*command, "--port", "0", "--rest-port", "0"], stdout=subprocess.PIPE, text=True
        )
        address = re.search(r"gRPC on (\S+),", server.stdout.readline())[1]
        pid = server.pid
    try:
        wrong = load(address, model, kinds, expected, args.requests, args.clients, pid)
    finally:
        if server:
            server.terminate()
            server.wait()
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
