"""Lossless files: exact on every execution, one image without the others, nothing wrong unseen."""

import functools
import os
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import codec
from keras_pixelrnn.codec import coder, container, decisions, lossless, walk
from tests import conformance

CASES = {case.name: case for case in conformance.MODELS}
MONO = CASES["pixelcnn-bernoulli-1"]


def test_images_come_back(coded):
    model, images, data = coded
    assert coder.RAW not in {block[4] for block in container.read(data)[1]}
    told = []
    found = codec.decompress(
        model, data, batch_size=4, xla=False, progress=lambda *done: told.append(done)
    )
    assert found.dtype == images.dtype
    np.testing.assert_array_equal(found, images)
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_coding_tells_how_far_it_is(coded):
    model, images, _ = coded
    told = []
    codec.compress(model, images, batch_size=4, progress=lambda *done: told.append(done))
    assert told == [(4, 9), (8, 9), (9, 9)]


@pytest.mark.slow
@pytest.mark.parametrize("case", conformance.MODELS, ids=str)
def test_images_of_every_model_come_back(model_of, case, rng):
    model = model_of(case)
    context = {}
    if model.context.num_classes:
        context = {"context": rng.integers(0, model.context.num_classes, 7)}
    elif model.context.given:
        context = {"context": rng.normal(size=(7, *model.context.shape)).astype("f4")}
    images = model.sample(7, seed=0, **context)
    data = codec.compress(model, images, block_size=3, **context)
    assert coder.RAW not in {block[4] for block in container.read(data)[1]}
    np.testing.assert_array_equal(codec.decompress(model, data, **context), images)
    if context:
        with pytest.raises(ValueError, match="another `context`"):
            codec.decompress(model, data, context=context["context"][::-1])


JAX = """
import pathlib, sys
import keras, numpy as np
from keras_pixelrnn import backend, codec
assert backend.name() == "jax"
for folder in map(pathlib.Path, sys.argv[1:]):
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    found = codec.read(folder / "some.kpz", model, batch_size=7)
    np.save(folder / "found.npy", found)
    if "mixed" in folder.name:
        assert (codec.decompress(model, codec.compress(model, found)) == found).all()
"""


@pytest.mark.slow
def test_files_are_read_by_jax(tmp_path):
    """In blocks that run in other batches than those of TensorFlow that wrote them."""
    written = {}
    made = {name: CASES[name].make for name in (MONO.name, "pixelcnn-logistic-3")}
    made["diagonal-bernoulli-1"] = CASES["diagonal-bernoulli-1"].make
    made["mixed"] = functools.partial(MONO.make, dtype="mixed_bfloat16")
    for name, make in made.items():
        model = conformance.randomised(make(), scale=0.3)
        (tmp_path / name).mkdir()
        model.save(tmp_path / name / "model.keras")
        written[name] = model.sample(40, seed=2)
        codec.write(tmp_path / name / "some.kpz", model, written[name], block_size=7)
    jax = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", JAX, *(str(tmp_path / name) for name in written)]
    out = subprocess.run(command, env=jax, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    for name, images in written.items():
        np.testing.assert_array_equal(np.load(tmp_path / name / "found.npy"), images)


def test_one_image_needs_its_block_alone(coded, monkeypatch):
    model, images, data = coded
    decoded = []
    whole = lossless._decode

    def noted(model, header, blocks, needed, *args):
        decoded.extend(needed.tolist())
        return whole(model, header, blocks, needed, *args)

    monkeypatch.setattr(lossless, "_decode", noted)
    found = codec.decompress(model, data, indices=[5, 4], batch_size=4, xla=False)
    np.testing.assert_array_equal(found, images[[5, 4]])
    assert decoded == [1]
    with pytest.raises(IndexError, match="0 to 8"):
        codec.decompress(model, data, indices=[9])


@pytest.mark.parametrize(("guard", "most"), [(1e-6, 1.005), (1e-3, 1.02)])
def test_bytes_are_the_nats_of_the_model(rng, guard, most):
    """Of decisions with known probabilities; the wider guard means a hint for each 500 of them at any
    one shift of the grid, 6% more bytes, which a shift for each part of them must save."""
    logits = rng.normal(size=(200, 300, 1)) * 4.0
    p = 1.0 / (1.0 + np.exp(-logits))
    bits = (rng.random(p.shape) < p).astype(np.int32)
    open_ = np.ones(p.shape, bool)
    block = coder.encode(decisions.bent(logits), open_, bits, np.full(p.shape, guard))
    bound = -np.log2(np.where(bits == 1, p, 1.0 - p)).sum() / 8
    assert 0.995 * bound < len(block) < most * bound


def test_a_table_of_whole_numbers_that_no_rounding_of_exp_can_change():
    middle = np.arange(-decisions.CELLS, decisions.CELLS) + 0.5
    middle = middle + np.arange(decisions.SHIFTS)[:, None] / decisions.SHIFTS
    logits = decisions.BEND * np.tan(middle * (decisions.STEP / decisions.BEND))
    exact = 2.0**decisions.BITS / (
        1.0 + np.exp(-np.clip(logits, -decisions.LIMIT, decisions.LIMIT))
    )
    assert (np.abs(exact % 1.0 - 0.5) > 1e-7).all()
    assert (np.diff(decisions._table(), axis=1) >= 0).all()


def decoded_with(noise, block, places, open_, bits):
    """Whether decisions come back where the decoder's logits are off by `noise`."""
    model = [decisions.BEND * np.tan(x * decisions.STEP / decisions.BEND) for x in places]
    moved = np.array(model) + noise
    n, count, _ = places.shape
    decoder = coder.Decoder([block], [n], 2, count, n)
    found = [decoder(np.stack([np.zeros(n), moved[:, index, 0]], axis=1)) for index in range(count)]
    return (np.stack(found, axis=1)[..., None] == bits).all()


def test_hints_carry_over_noise_that_would_break_the_code(rng):
    logits = rng.normal(size=(20, 200, 1)) * 3.0
    bits = (rng.random(logits.shape) < 1.0 / (1.0 + np.exp(-logits))).astype(np.int32)
    places, open_ = decisions.bent(logits), np.ones(logits.shape, bool)
    noise = rng.uniform(-1.0, 1.0, logits.shape) * 1e-3
    guarded = coder.encode(places, open_, bits, np.full(logits.shape, 4.1e-3))
    bare = coder.encode(places, open_, bits, np.full(logits.shape, 1e-12))
    assert decoded_with(noise, guarded, places, open_, bits)
    assert decoded_with(0.0 * noise, bare, places, open_, bits)
    assert not decoded_with(noise, bare, places, open_, bits)


def test_damage_never_passes(coded, rng):
    """Bytes flipped, cut off, added; and the same with the file's check sum made to fit again."""
    model, images, data = coded
    refused = 0
    for trial in range(9):
        broken = bytearray(data)
        place = int(rng.integers(len(data)))
        kind = trial % 3
        if kind == 0:
            broken[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del broken[place:]
        else:
            broken.insert(place, int(rng.integers(256)))
        with pytest.raises(ValueError):
            codec.decompress(model, bytes(broken), xla=False)
        broken[4:8] = zlib.crc32(broken[8:]).to_bytes(4, "little")
        try:
            found = codec.decompress(model, bytes(broken), batch_size=4, xla=False)
        except ValueError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, images)
    assert refused > 5


def test_plain_blocks_hold_values_that_there_are(coded):
    model, images, data = coded
    header, blocks = container.read(data)
    shape = (4, *model.image_shape)
    wrong = np.full(shape, model.distribution.levels, np.uint8)
    blocks[0] = container.crc_of(wrong) + coder.raw(wrong)
    with pytest.raises(codec.Damaged, match="values that the model does not have"):
        codec.decompress(model, container.write(header, blocks), indices=[0], xla=False)


def test_another_model_is_refused_by_name(coded):
    model, _, data = coded
    other = MONO.make(name="other")
    other.set_weights([weight + 1e-3 for weight in model.get_weights()])
    with pytest.raises(ValueError, match=f"another model, '{model.name}'.*'other'"):
        codec.decompress(other, data)
    other.set_weights(model.get_weights())
    assert codec.decompress(other, data, indices=[]).shape == (0, *model.image_shape)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_what_is_not_finite_is_stored_without_a_warning(coded, value):
    model, images, _ = coded
    weights = model.get_weights()
    model.set_weights([np.full_like(weight, value) for weight in weights])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            data = codec.compress(model, images)
    finally:
        model.set_weights(weights)
    assert {block[4] for block in container.read(data)[1]} == {coder.RAW}


def test_minus_zero_is_the_same_context():
    context = np.linspace(-1.0, 1.0, 2 * 5000, dtype="f4").reshape(5000, 2)
    old = int.from_bytes(container.crc_of(context), "little")  # of files that exist
    assert container.context_crc(context) == old
    zeros = np.zeros((3, 2), "f4")
    assert container.context_crc(-zeros) == container.context_crc(zeros)


@pytest.mark.parametrize("size", [10**10, 2**62, 2**69])
@pytest.mark.parametrize("both", [True, False])
def test_sizes_that_cannot_be_are_damage(coded, size, both):
    """Before anything is made of that size, where the check sums fit."""
    model, _, data = coded
    header, blocks = container.read(data)
    forged = header._replace(count=size, block_size=size if both else size // 2)
    with pytest.raises(codec.Damaged, match="sizes that cannot be"):
        codec.decompress(model, container.write(forged, blocks[: 1 if both else 2]), xla=False)


def test_blocks_that_are_written_can_be_read(coded, monkeypatch):
    model, images, _ = coded
    monkeypatch.setattr(container, "MOST", 2 * images[0].size + 1)
    data = codec.compress(model, images, block_size=9)
    assert codec.header(data).block_size == 2


def test_a_machine_too_far_off_is_told(coded, monkeypatch):
    model, images, data = coded
    bent = decisions.bent
    monkeypatch.setattr(decisions, "bent", lambda logits: bent(logits + 0.05))
    with pytest.raises(codec.Damaged, match=r"Block 0 of 3 .*larger `tolerance`"):
        codec.decompress(model, data, indices=[1], batch_size=4, xla=False)


def test_a_block_that_noise_breaks_is_tried_in_another_execution(coded, monkeypatch):
    model, images, data = coded
    decide, runs = walk.decide, []

    def noisy(model, count, given, choose, xla):
        runs.append((xla, count))
        moved = (lambda log_pmf: choose(log_pmf + [[0.0, 0.05]])) if xla else choose
        return decide(model, count, given, moved, xla=False)

    monkeypatch.setattr(walk, "decide", noisy)
    found = codec.decompress(model, data, indices=[1], batch_size=4)
    np.testing.assert_array_equal(found, images[1:2])
    assert runs == [(True, 4), (False, 4)]


def test_a_block_whose_code_is_none_is_tried_in_another_execution(coded, monkeypatch):
    """After noise the range coder itself may find no code: other blocks and executions go on."""
    model, images, data = coded
    made, decoded = coder.Decoder.__init__, []

    class Breaks:
        def decode(self, *args):
            raise AssertionError

    def breaking(self, blocks, *args):
        made(self, blocks, *args)
        decoded.append(len(blocks))
        if len(decoded) == 1:
            self._parts[0] = (self._parts[0][0], Breaks())

    monkeypatch.setattr(coder.Decoder, "__init__", breaking)
    np.testing.assert_array_equal(codec.decompress(model, data, batch_size=64), images)
    assert decoded == [3, 1]


def test_what_the_model_cannot_code_is_stored_as_it_is(coded, monkeypatch):
    model, images, _ = coded
    monkeypatch.setattr(lossless, "_decode", lambda *args: ({}, [0]))
    data = codec.compress(model, images, verify=True)
    monkeypatch.undo()
    assert container.read(data)[1][0][4] == coder.RAW
    np.testing.assert_array_equal(codec.decompress(model, data), images)


def test_files(coded, tmp_path):
    model, images, _ = coded
    size = codec.write(tmp_path / "some.kpz", model, images, block_size=4)
    assert [file.stat().st_size for file in tmp_path.iterdir()] == [size]
    data = (tmp_path / "some.kpz").read_bytes()
    assert codec.header(data).count == 9
    np.testing.assert_array_equal(
        codec.read(tmp_path / "some.kpz", model, indices=[8], batch_size=4, xla=False), images[8:]
    )
    with pytest.raises(codec.Damaged, match="first bytes"):
        codec.header(b"PK" + data)
    with pytest.raises(codec.Damaged, match="version 9"):
        codec.header(data[:3] + b"\x09" + data[4:])


@pytest.mark.parametrize("option", ["tolerance", "block_size", "batch_size"])
def test_options_are_checked(coded, option):
    model, images, _ = coded
    with pytest.raises(ValueError, match=f"{option}="):
        codec.compress(model, images, **{option: 0})


def test_a_block_is_no_larger_than_there_are_images(coded):
    """Of a number of any size: one that no reader takes made files that nobody could read."""
    model, images, _ = coded
    for size in (1000, 2**70):
        data = codec.compress(model, images, block_size=size)
        assert codec.header(data).block_size == 9
        np.testing.assert_array_equal(codec.decompress(model, data, xla=False), images)


def test_a_tolerance_may_be_a_number_of_numpy(coded):
    model, images, _ = coded
    assert codec.compress(model, images[:1], tolerance=np.float32(1e-3))
    with pytest.raises(ValueError, match="tolerance=True"):
        codec.compress(model, images, tolerance=True)


def test_what_is_no_file_is_said(coded, tmp_path):
    for path in (tmp_path, tmp_path / "none.kpz"):
        with pytest.raises(ValueError, match="must be a file that `codec"):
            codec.read(path, coded[0])
    for kept, words in ((-1, "The check sum"), (6, "The data ends"), (3, "The data ends")):
        (tmp_path / "cut.kpz").write_bytes(coded[2][:kept])
        with pytest.raises(codec.Damaged, match=rf"cut\.kpz: {words} .* Copy it again"):
            codec.read(tmp_path / "cut.kpz", coded[0])


@pytest.mark.parametrize(
    "indices", [1, 1.5, [1.5], "1", [True, False], np.array([True] * 9), [None], np.array(3)]
)
def test_images_are_asked_for_by_number(coded, indices):
    model, _, data = coded
    with pytest.raises(ValueError, match="`indices` must be numbers of images"):
        codec.decompress(model, data, indices=indices)


@pytest.mark.parametrize("wrong", ["digits", None, 5])
def test_model_and_data_are_checked(coded, wrong):
    model, images, data = coded
    for call in (lambda: codec.compress(wrong, images), lambda: codec.decompress(wrong, data)):
        with pytest.raises(ValueError, match="`model` must be a PixelModel"):
            call()
    for call in (lambda: codec.header(wrong), lambda: codec.decompress(model, wrong)):
        with pytest.raises(ValueError, match="`data` must be bytes"):
            call()


def test_no_images(coded):
    model, images, _ = coded
    data = kp.codec.compress(model, images[:0])
    assert codec.decompress(model, data).shape == (0, *model.image_shape)
