"""Any number of images, in blocks of few sizes: the same images, in order, and Ctrl-C."""

import _thread
import threading
import time

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import backend
from keras_pixelrnn.models import blocks
from tests.conformance import randomised

LABELS = np.arange(11) % 3
KNOWN = np.arange(4)[:, None] < np.full(3, 2)


@pytest.fixture(name="model", scope="module")
def _model():
    head = kp.distributions.Categorical(9)
    return randomised(
        kp.models.PixelCNN((4, 3, 1), head, units=3, num_blocks=1, kernel_size=3, num_classes=3)
    )


def sizes(model, monkeypatch):
    """The sizes of blocks that are run from now on, with the names of the functions."""
    run = []
    inner = model._functions

    class Watched(type(inner)):
        def __call__(self, name, xla=True):
            function = inner(name, xla)
            watched = lambda *args: run.append((name, len(args[0]))) or function(*args)  # noqa: E731
            watched.get_concrete_function = function.get_concrete_function
            return watched

    monkeypatch.setattr(model, "_functions", Watched(model))
    return run


def test_images_in_a_file_are_completed_from_there(model, tmp_path):
    """What is not known may be beyond the levels, and nothing is copied but a block."""
    np.save(
        tmp_path / "a.npy", np.where(KNOWN[..., None], np.arange(11)[:, None, None, None] % 9, 99)
    )
    stored = np.load(tmp_path / "a.npy", mmap_mode="r")
    images, known = model.check_completion(stored, KNOWN)
    assert np.shares_memory(images, stored)
    assert known.strides[0] == 0, "one mask for all"
    options = {"seed": 3, "context": LABELS, "batch_size": 4}
    found = np.concatenate(list(model.complete_batches(stored, KNOWN, xla=False, **options)))
    np.testing.assert_array_equal(found, model.complete(np.array(stored) % 90, KNOWN, **options))
    assert (found < 9).all()
    with pytest.raises(ValueError, match="values from 0 to 99"):
        model.complete(stored, ~KNOWN, **options)


def test_an_image_is_its_own_whatever_the_number(model, monkeypatch):
    """Bit for bit, in blocks of one size: more images, other neighbours, another method."""
    monkeypatch.setattr(backend, "cores", lambda: 2)
    run = sizes(model, monkeypatch)
    draw = {"seed": 5, "batch_size": 4}
    many = model.sample(11, context=LABELS, **draw)
    assert many.dtype == np.uint8
    assert len({image.tobytes() for image in many}) == 11, "a wrong order would not be seen"
    np.testing.assert_array_equal(model.sample(3, context=LABELS[:3], **draw), many[:3])
    parts = list(model.sample_batches(11, context=LABELS, **draw))
    assert [len(part) for part in parts] == [4, 4, 3]
    np.testing.assert_array_equal(np.concatenate(parts), many)
    controls = {"temperature": np.linspace(0.2, 3, 11), "top_k": 5}
    warm = model.sample(11, context=LABELS, **draw, **controls)
    assert (warm != many).any()
    np.testing.assert_array_equal(
        np.concatenate(list(model.sample_batches(11, context=LABELS, **draw, **controls))), warm
    )

    order = np.arange(11)[::-1]
    seeds = np.arange(11) * 7
    draw["seed"] = seeds
    whole = model.complete(many, KNOWN, context=LABELS, **draw)
    np.testing.assert_array_equal(whole[:, :2], many[:, :2])
    assert (whole != many).any()
    draw["seed"] = seeds[order]
    turned = model.complete(many[order], KNOWN, context=LABELS[order], **draw)
    np.testing.assert_array_equal(turned[order], whole)
    parts = model.complete_batches(many[order], KNOWN, context=LABELS[order], **draw)
    np.testing.assert_array_equal(np.concatenate(list(parts)), turned)

    nats = model.nats_map(many, context=LABELS, batch_size=4)
    assert nats.shape == many.shape
    np.testing.assert_array_equal(
        model.nats_map(many[order][:7], context=LABELS[order][:7], batch_size=4), nats[order][:7]
    )
    parts = model.nats_batches(many, context=LABELS, batch_size=4)
    np.testing.assert_array_equal(np.concatenate(list(parts)), nats)
    np.testing.assert_allclose(
        model.log_prob(many, context=LABELS, batch_size=4), nats.sum((1, 2, 3)), rtol=1e-6
    )
    assert {size for _, size in run} == {4}, "the last block is filled up"
    whole_graph = model.log_prob_graph(many, LABELS.astype(np.int32))
    np.testing.assert_allclose(np.asarray(whole_graph), nats.sum((1, 2, 3)), rtol=1e-5)


def test_few_sizes_for_all_numbers(model, monkeypatch):
    monkeypatch.setattr(backend, "cores", lambda: 2)
    for size_of, most in [(blocks.drawing_size, 64), (blocks.likelihood_size, 2**15)]:
        found = [size_of(model, n) for n in (1, 2, 3, 5, 7, 100, 1000, 99_999, 100_000)]
        assert set(found) <= {2**k for k in range(17)}
        assert max(found) == found[-1] == most
    assert blocks.drawing_size(model, 4, batch_size=1000) == 1000
    monkeypatch.setattr(blocks, "WORK_OF_A_BLOCK", 1)
    assert [blocks.drawing_size(model, n) for n in (1, 2, 3, 16, 17, 129)] == [1, 1, 2, 8, 16, 64]
    many = kp.distributions.Categorical(16384)
    large = kp.models.PixelCNN((4, 3, 1), many, units=2, num_blocks=1)
    assert blocks.likelihood_size(large, 1000) == 16, "0.8 MB each of parameters"


def test_one_context_for_many_images_is_not_copied(model):
    (told,) = model.context.check(np.int64(2), 10**9)
    assert told.shape == (10**9,)


def test_progress(model, capsys):
    images = np.zeros((11, 4, 3, 1), np.uint8)
    said = []
    told = {"progress": lambda *numbers: said.append(numbers), "batch_size": 4, "context": 1}
    model.log_prob(images, **told)
    model.sample(11, seed=0, **told)
    model.complete(images, KNOWN, seed=0, **told)
    model.nats_map(images, **told)
    assert said == [(4, 11), (8, 11), (11, 11)] * 4
    model.log_prob(images, **{**told, "progress": True})
    assert "11/11" in capsys.readouterr().out


def test_blocks_run_side_by_side_and_stay_in_order(monkeypatch):
    monkeypatch.setattr(backend, "cores", lambda: 3)
    taken, together = [], threading.Barrier(3, timeout=10)

    def run(item):
        if item:
            together.wait()
        return threading.get_ident(), item

    items = iter(range(10))
    watched = (taken.append(item) or item for item in items)
    results = blocks.in_order(run, watched, alone=1)
    thread, first = next(results)
    assert (taken, first) == ([0], 0)
    assert thread != threading.get_ident()
    assert next(results)[1] == 1
    assert len(taken) <= 6, "read only as fast as results are taken"
    assert [item for _, item in results] == list(range(2, 10))


@pytest.mark.parametrize("alone", [0, 1])
def test_ctrl_c_is_answered_within_a_second(monkeypatch, alone):
    """Also while a block is being worked on, or compiled, by what does not listen."""
    monkeypatch.setattr(backend, "cores", lambda: 2)
    begun, end = [], threading.Event()
    items = iter(range(100))
    threading.Timer(0.3, _thread.interrupt_main).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(blocks.in_order(lambda item: begun.append(item) or end.wait(10), items, alone))
    assert time.monotonic() - start < 1.3
    end.set()
    count = len(begun)
    time.sleep(0.1)
    assert len(begun) == count == (1 if alone else 2), "nothing begins afterwards"


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": 2.5}, {"progress": "yes"}])
def test_bad_arguments(model, wrong):
    (name,) = wrong
    images = np.zeros((2, 4, 3, 1), np.uint8)
    calls = [
        lambda: model.sample(2, seed=0, context=0, **wrong),
        lambda: model.log_prob(images, context=0, **wrong),
        lambda: model.nats_map(images, context=0, **wrong),
        lambda: model.complete(images, KNOWN, seed=0, context=0, **wrong),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"`{name}`.*Received: {name}="):
            call()


def test_no_images(model):
    none, labels = np.zeros((0, 4, 3, 1), np.uint8), np.zeros(0, int)
    drawn = model.complete(none, KNOWN, seed=0, context=labels)
    assert drawn.shape == (0, 4, 3, 1)
    assert model.log_prob(none, context=labels).shape == (0,)


@pytest.mark.parametrize(("count", "size"), [(3, 4), (5, 4)])
def test_few_images_do_not_fill_a_large_block(model, monkeypatch, count, size):
    run = sizes(model, monkeypatch)
    images, labels = np.zeros((count, 4, 3, 1), np.uint8), LABELS[:count]
    model.entropy_map(images, context=labels, batch_size=64 if count < 4 else 4)
    assert run == [("entropy", size)] * -(-count // size)
