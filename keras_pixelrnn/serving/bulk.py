"""Bulk work on Apache Beam: an export's signatures over any number of images, on any runner.

Beam's own handler for TensorFlow models does not load exports under Keras 3; the one here calls a
SavedModel's signatures, without this package's models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_pixelrnn import data as sources
from keras_pixelrnn import noise

try:
    import apache_beam as beam
    from apache_beam.ml.inference.base import ModelHandler, RunInference
except ImportError:  # the extra `beam`; `_needed` says so
    beam, ModelHandler = None, object

BATCH = 64


class SignatureHandler(ModelHandler):
    """A `ModelHandler` that runs a signature of an export on blocks of rows.

    A block is a dict of arrays `(rows, ...)`, one of them "index", and is run by itself: what an image
    gets does not depend on how a runner bundles blocks, so that every number of workers gives the same
    bits.

    Args:
        path: version folder of an export.
        signature: "sample" or "log_prob".
        size: rows of a full block; a smaller one is filled up with its last row.
    """

    def __init__(self, path: str | Path, signature: str, size: int = BATCH):
        super().__init__()
        self._path, self._signature, self._size = str(path), signature, size

    def load_model(self) -> Any:
        import tensorflow as tf

        return tf.saved_model.load(self._path)

    def run_inference(
        self, batch: Sequence[dict], model: Any, inference_args: dict | None = None
    ) -> Iterable[dict]:
        run = model.signatures[self._signature]
        for block in batch:
            count = len(block["index"])
            rows = np.minimum(np.arange(self._size), count - 1)
            given = {name: array[rows] for name, array in block.items() if name != "index"}
            found = {name: value.numpy()[:count] for name, value in run(**given).items()}
            yield {**block, **found}

    def batch_elements_kwargs(self) -> dict:
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_num_bytes(self, batch: Sequence[dict]) -> int:
        return sum(array.nbytes for block in batch for array in block.values())


def sample(
    path: str | Path,
    n: int,
    out: str | Path,
    *,
    seed: int = 0,
    batch_size: int = BATCH,
    options: Sequence[str] = (),
) -> None:
    """Draw images by Beam into Parquet files: columns index, seed, image (bytes, in C order), log_prob.

    Image `i` has the seed that `model.sample(n, seed=seed)` gives its image `i`.

    Args:
        path: version folder of an export that is not conditional.
        n: number of images.
        out: beginning of the files' names.
        seed: non-negative int.
        batch_size: images drawn at a time.
        options: of the pipeline, such as `["--runner", "DirectRunner", "--direct_num_workers", "4"]`.

    Raises:
        ImportError: Beam, the extra `beam`, is not installed.
    """
    _needed()
    blocks = [
        {"index": np.arange(first, first + len(seeds)), "seed": seeds}
        for first, seeds in _parts(noise.image_seeds(seed, n), batch_size)
    ]
    _run(options, beam.Create(blocks), SignatureHandler(path, "sample", batch_size), out, "seed")


def score(
    path: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    split: str = "test",
    batch_size: int = BATCH,
    options: Sequence[str] = (),
) -> None:
    """Likelihoods by Beam into Parquet files: columns index, log_prob (nats), bits_per_dim.

    Args:
        path: version folder of an export that is not conditional.
        data: what `kp.data.load` takes by name or path, such as a packed file; a worker reads from it
            the images of its blocks alone.
        out: beginning of the files' names.
        split: "train", "validation" or "test"; `index` counts its images.
        batch_size: images scored at a time.
        options: of the pipeline.

    Raises:
        ImportError: Beam, the extra `beam`, is not installed.
    """
    _needed()
    size = sources.load(data).sizes[split]
    blocks = [rows for _, rows in _parts(np.arange(size), batch_size)]

    class Read(beam.DoFn):
        def setup(self) -> None:
            self._data = sources.load(data)

        def process(self, rows: np.ndarray) -> Iterator[dict]:
            yield {"index": rows, "image": self._data.images(split, rows)}

    source = beam.Create(blocks) | beam.ParDo(Read())
    _run(options, source, SignatureHandler(path, "log_prob", batch_size), out, "bits_per_dim")


def _needed() -> None:
    if beam is None:
        raise ImportError(
            "Bulk work needs Apache Beam: pip install 'keras_pixelrnn[beam]', in an environment of its "
            "own where another package wants a newer protobuf."
        )


def _parts(array: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    return ((first, array[first : first + size]) for first in range(0, len(array), size))


def _run(
    options: Sequence[str], source: Any, handler: SignatureHandler, out: str | Path, column: str
) -> None:
    import pyarrow as pa
    from apache_beam.options.pipeline_options import PipelineOptions

    kinds = {"seed": pa.int64(), "bits_per_dim": pa.float32()}
    columns = {"index": pa.int64(), column: kinds[column], "log_prob": pa.float32()}
    if column == "seed":
        columns["image"] = pa.binary()

    def rows(block: dict) -> Iterator[dict]:
        for row in range(len(block["index"])):
            found = {name: block[name][row] for name in columns}
            yield {
                name: value.tobytes() if name == "image" else value.item()
                for name, value in found.items()
            }

    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        _ = (
            pipeline
            | source
            | beam.Reshuffle()  # blocks on all workers
            | RunInference(handler)
            | beam.FlatMap(rows)
            | beam.io.WriteToParquet(str(out), pa.schema(columns), file_name_suffix=".parquet")
        )
