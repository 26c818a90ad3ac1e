"""Bulk work on Apache Beam: an export's signatures over any number of images, on any runner.

Beam's own handler for TensorFlow models does not load exports under Keras 3; the one here calls a
SavedModel's signatures, without this package's models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_pixelrnn import checks, noise
from keras_pixelrnn import data as sources

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
    label: int | Sequence[int] | None = None,
    batch_size: int = BATCH,
    file_format: str = "parquet",
    options: Sequence[str] = (),
) -> None:
    """Draw images by Beam into files of the columns index, seed, image (bytes, in C order), log_prob.

    Image `i` has the seed that `model.sample(n, seed=seed)` gives its image `i`.

    Args:
        path: version folder of an export.
        n: number of images.
        out: beginning of the files' names.
        seed: non-negative int.
        label: of an export that is conditional on one: an int, or one for each image; also a column.
        batch_size: images drawn at a time.
        file_format: "parquet", or "tfrecord" of `tf.train.Example`s with the same fields.
        options: of the pipeline, such as `["--runner", "DirectRunner", "--direct_num_workers", "4"]`.

    Raises:
        ImportError: Beam, the extra `beam`, is not installed.
        ValueError: another format; a label where the export takes none, or none where it takes one; an
            export that is conditional on something else.
    """
    n = checks.positive_int("n", n)
    columns = {"seed": "int"}
    labelled, image_shape = _taken(path, "sample", label is not None)
    batch_size = checks.drawn(batch_size, image_shape, "batch_size")
    if labelled:
        labels = np.asarray(label)
        if labels.dtype.kind not in "iu" or labels.shape not in ((), (n,)):
            raise ValueError(
                f"`label` must be an int or {n} of them, one for each image. Received: "
                f"label={checks.shown(label)}"
            )
        labels = np.broadcast_to(labels, n).astype(np.int32)
        columns["label"] = "int"
    write = _writer(out, {**columns, "log_prob": "float", "image": "bytes"}, file_format)
    blocks = []
    for first, seeds in _parts(noise.image_seeds(seed, n), batch_size):
        block = {"index": np.arange(first, first + len(seeds)), "seed": seeds}
        if "label" in columns:
            block["label"] = labels[first : first + len(seeds)]
        blocks.append(block)
    _run(options, beam.Create(blocks), SignatureHandler(path, "sample", batch_size), write)


def score(
    path: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    split: str = "test",
    batch_size: int = BATCH,
    file_format: str = "parquet",
    options: Sequence[str] = (),
) -> None:
    """Likelihoods by Beam into files of the columns index, log_prob (nats), bits_per_dim.

    Args:
        path: version folder of an export; one that is conditional on a label gets the data's.
        data: what `kp.data.load` takes by name or path, such as a packed file; a worker reads from it
            the images of its blocks alone.
        out: beginning of the files' names.
        split: "train", "validation" or "test"; `index` counts its images.
        batch_size: images scored at a time.
        file_format, options: as of `sample`.

    Raises:
        ImportError: Beam, the extra `beam`, is not installed.
        ValueError: another format or split; images of another shape than the export's; an export that
            takes labels, of data without.
    """
    labelled, image_shape = _taken(path, "log_prob", None)
    batch_size = checks.drawn(batch_size, image_shape, "batch_size")
    write = _writer(out, {"bits_per_dim": "float", "log_prob": "float"}, file_format)
    found = sources.load(data)
    checks.choice("split", split, list(found.sizes))
    if found.image_shape != image_shape:
        raise ValueError(
            f"The export {path} takes images {image_shape}, height, width, channels. Received: {data} "
            f"of images {found.image_shape}"
        )
    if labelled and not found.has_labels(split):
        raise ValueError(
            f"The export {path} needs labels, and the {split} images have none. Received: {data}"
        )
    blocks = [rows for _, rows in _parts(np.arange(found.sizes[split]), batch_size)]

    class Read(beam.DoFn):
        def setup(self) -> None:
            self._data = sources.load(data)

        def process(self, rows: np.ndarray) -> Iterator[dict]:
            images = self._data.images(split, rows, labels=labelled)
            block = {"index": rows, "image": images[0] if labelled else images}
            if labelled:
                block["label"] = np.asarray(images[1], np.int32)
            yield block

    source = beam.Create(blocks) | beam.ParDo(Read())
    _run(options, source, SignatureHandler(path, "log_prob", batch_size), write)


def _taken(path, signature, given):
    """Whether a signature of an export takes `label`, and the shape of its images; `given` says whether
    there is a label, if known."""
    _needed()
    from keras_pixelrnn.serving import check

    if not (Path(path) / "saved_model.pb").is_file():
        raise ValueError(
            "Bulk work needs the version folder of an export, NAME/1 say. Write one by `pixelrnn "
            f"export`. Received: {path}"
        )
    found = check.read(path).signature_def[signature]
    inputs = found.inputs
    if "context" in inputs:
        raise ValueError(
            "This export is conditional on a context of floats: give `SignatureHandler` blocks that "
            f"hold it. Received: {path}"
        )
    takes = "label" in inputs
    if given is not None and given != takes:
        what = "is conditional: pass `label`" if takes else "takes no `label`: leave it out"
        raise ValueError(f"The export {path} {what}.")
    image = found.outputs["image"] if signature == "sample" else inputs["image"]
    return takes, tuple(dim.size for dim in image.tensor_shape.dim[1:])


def _needed() -> None:
    if beam is None:
        raise ImportError(
            "Bulk work needs Apache Beam: pip install 'keras_pixelrnn[beam]', in an environment of its "
            "own where another package wants a newer protobuf."
        )


def _parts(array: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    return ((first, array[first : first + size]) for first in range(0, len(array), size))


def _writer(out, columns, file_format):
    """A transform from finished blocks to files. `columns` are `{name: "int", "float" or "bytes"}`."""
    _needed()
    checks.choice("file_format", file_format, ["parquet", "tfrecord"])
    columns = {"index": "int", **columns}

    def rows(block: dict) -> Iterator[dict]:
        for row in range(len(block["index"])):
            found = {name: block[name][row] for name in columns}
            yield {
                name: value.tobytes() if columns[name] == "bytes" else value.item()
                for name, value in found.items()
            }

    if file_format == "parquet":
        import pyarrow as pa

        kinds = {"int": pa.int64(), "float": pa.float32(), "bytes": pa.binary()}
        schema = pa.schema({name: kinds[kind] for name, kind in columns.items()})
        sink = beam.io.WriteToParquet(str(out), schema, file_name_suffix=".parquet")
        return beam.FlatMap(rows) | sink
    sink = beam.io.WriteToTFRecord(str(out), file_name_suffix=".tfrecord")
    return beam.FlatMap(rows) | beam.Map(_example, columns) | sink


def _example(row, columns):
    """A row as a serialized `tf.train.Example`."""
    import tensorflow as tf

    made = {
        "int": lambda value: tf.train.Feature(int64_list=tf.train.Int64List(value=[value])),
        "float": lambda value: tf.train.Feature(float_list=tf.train.FloatList(value=[value])),
        "bytes": lambda value: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])),
    }
    feature = {name: made[kind](row[name]) for name, kind in columns.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def _run(options: Sequence[str], source: Any, handler: SignatureHandler, write: Any) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions

    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        _ = (
            pipeline
            | source
            | beam.Reshuffle()  # blocks on all workers
            | RunInference(handler)
            | write
        )
