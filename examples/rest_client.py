"""Draw images from TensorFlow Serving over REST and save them; standard library only.

python rest_client.py --url http://localhost:8501/v1/models/digits --seeds 1 2 3
"""

import argparse
import base64
import json
import urllib.error
import urllib.request
from pathlib import Path


def predict(url, signature, instances, timeout=120):
    """Predictions of a signature for instances in REST row format.

    Raises:
        RuntimeError: the server refused the request, in its own words.
    """
    body = json.dumps({"signature_name": signature, "instances": instances}).encode()
    request = urllib.request.Request(f"{url}:predict", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)["predictions"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url} answered {error.code}: {error.read().decode()}") from error


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8501/v1/models/digits")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=Path("."))
    args = parser.parse_args()
    drawn = predict(args.url, "sample", [{"seed": seed} for seed in args.seeds])
    for seed, one in zip(args.seeds, drawn, strict=True):
        file = args.output / f"rest-{seed}.png"
        file.write_bytes(base64.b64decode(one["png_bytes"]["b64"]))
        print(f"{file}: {one['log_prob']:.3f} nats")


if __name__ == "__main__":
    main()
