"""Drawing as parts of a batch at the same time gives each image what is its own."""

import threading

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import backend
from keras_pixelrnn.models import functions
from tests.conformance import randomised


@pytest.fixture(name="model", scope="module")
def _model():
    model = kp.models.PixelCNN(
        (4, 5, 1), kp.distributions.Categorical(9), units=6, num_blocks=1, num_classes=10
    )
    return randomised(model)


def in_parts(model, monkeypatch, cores):
    """Draws of seven images in every way, what was run, and where."""
    monkeypatch.setattr(backend, "cores", lambda: cores)
    monkeypatch.setattr(functions, "WORK_OF_A_PART", 1)
    runs = []
    inner = functions.Functions(model)

    class Watched(functions.Functions):
        def __call__(self, name, xla=True):
            def run(*part):
                runs.append((name, len(part[0]), threading.get_ident()))
                return inner(name, xla)(*part)

            return run

    monkeypatch.setattr(model, "_functions", Watched(model))
    known = np.zeros((4, 5), bool)
    known[:2] = True
    seeds, labels = np.arange(7) * 11, np.array([3, 1, 4, 1, 5, 9, 2])

    def draw():
        images = model.sample(7, seed=seeds, context=labels)
        controlled = model.sample(7, seed=seeds, context=labels, temperature=np.linspace(0.2, 3, 7))
        return images, controlled, model.complete(controlled, known, seed=seeds, context=labels)

    first = draw()
    again = draw()
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    return first, runs


def test_parts_are_put_together_as_they_were(model, monkeypatch):
    whole, runs = in_parts(model, monkeypatch, cores=1)
    assert {size for _, size, _ in runs} == {7}
    parts, runs = in_parts(model, monkeypatch, cores=3)
    assert {size for _, size, _ in runs} == {3}, "the last part, of one image, is filled up"
    assert len(runs) == 2 * 3 * 3
    assert {thread for _, _, thread in runs[:1]} == {threading.get_ident()}, (
        "compiles in our thread"
    )
    assert threading.get_ident() not in {thread for _, _, thread in runs[-9:]}
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(two, one)
        assert len({image.tobytes() for image in one}) == 7, "a wrong order would not be seen"


def test_more_cores_than_images(model, monkeypatch):
    whole, _ = in_parts(model, monkeypatch, cores=1)
    single, runs = in_parts(model, monkeypatch, cores=64)
    assert {size for _, size, _ in runs} == {1}
    for one, two in zip(whole, single, strict=True):
        np.testing.assert_array_equal(two, one)


def test_little_work_stays_together(model, monkeypatch):
    monkeypatch.setattr(backend, "cores", lambda: 4)
    asked = []

    class Counted(functions.Functions):
        def __call__(self, name, xla=True):
            return lambda x: asked.append(len(x)) or [x]

    parts = Counted(model)
    parts.draw("sample", np.zeros((3, 4, 5, 1), np.float32))
    assert asked == [3]
    many = 2 * functions.WORK_OF_A_PART // model.count_params() + 1
    parts.draw("sample", np.zeros((many, 4, 5, 1), np.float32))
    assert len(asked) == 3, "work for two parts, though there are four cores"


def test_no_images(model):
    none = np.zeros((0, 4, 5, 1), np.uint8)
    drawn = model.complete(none, np.ones((4, 5), bool), seed=0, context=np.zeros(0, int))
    assert drawn.shape == (0, 4, 5, 1)
