"""Draw images from TensorFlow Serving over REST and save them; standard library only.

python rest_client.py --url http://localhost:8501/v1/models/digits --seeds 1 2 3
"""

import argparse
import base64
import http.client
import json
import math
import urllib.error
import urllib.request
from pathlib import Path


class MarkedRows(ValueError):
    """Rows whose input the model has no answer for; other rows were answered.

    Attributes:
        rows: their numbers, ascending.
        predictions: of all rows.
    """

    def __init__(self, rows, predictions):
        super().__init__(
            f"The server marked rows {rows} by -inf: their image has a value outside the model's "
            "levels, their label is no class, a seed, context or control is outside its range, or a "
            "state is of another row or version of the model."
        )
        self.rows, self.predictions = rows, predictions


def is_finite(nats):
    """Is a number, or are all numbers of a nested list, finite?"""
    return all(map(is_finite, nats)) if isinstance(nats, list) else math.isfinite(nats)


def check_rows(predictions):
    """Raise `MarkedRows` where a prediction is marked. A map of nats, an only output, has no name."""
    nats = [row.get("log_prob", 0.0) if isinstance(row, dict) else row for row in predictions]
    marked = [number for number, value in enumerate(nats) if not is_finite(value)]
    if marked:
        raise MarkedRows(marked, predictions)


def predict(url, signature, instances, timeout=120):
    """Predictions of a signature for instances in REST row format.

    Raises:
        RuntimeError: no server answers, or not as TensorFlow Serving does, or it refused the request, in
            its own words.
        MarkedRows: the server marked a row of it.
    """
    body = json.dumps({"signature_name": signature, "instances": instances}).encode()
    try:
        request = urllib.request.Request(
            f"{url}:predict", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as response:
            predictions = json.load(response)["predictions"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url} answered {error.code}: {error.read().decode()}") from error
    except OSError as error:
        raise RuntimeError(f"{url} does not answer: {error}") from error
    except (http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        raise RuntimeError(
            f"{url!r} is no model of TensorFlow Serving. Expected its REST address, such as "
            f"http://localhost:8501/v1/models/digits. Received: {error!r}"
        ) from error
    check_rows(predictions)
    return predictions


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8501/v1/models/digits")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=Path("."))
    args = parser.parse_args()
    try:
        draw(args)
    except (RuntimeError, ValueError, OSError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


def draw(args):
    drawn = predict(args.url, "sample", [{"seed": seed} for seed in args.seeds])
    for seed, one in zip(args.seeds, drawn, strict=True):
        file = args.output / f"rest-{seed}.png"
        file.write_bytes(base64.b64decode(one["png_bytes"]["b64"]))
        print(f"{file}: {one['log_prob']:.3f} nats")


if __name__ == "__main__":
    main()
