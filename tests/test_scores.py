"""Scores of strangeness, and thresholds that keep their promise."""

import bz2
import lzma
import math
import zlib

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.scores import compression, threshold
from keras_pixelrnn.training.run import load_data
from tests.conformance import MODELS, QUICK, context_of, random_images, randomised

LABELLED = next(case for case in MODELS if case.name.endswith("num_classes"))


def test_the_three_scores(model_of):
    model, images = model_of(QUICK), random_images(model_of(QUICK), 5)
    background = randomised(QUICK.make(), seed=9)
    nats, other = -model.log_prob(images), -background.log_prob(images)
    np.testing.assert_allclose(model.score(images, batch_size=2), nats, rtol=1e-5)
    size = kp.scores.compressed_nats(images, 2)
    np.testing.assert_allclose(model.score(images, method="complexity"), nats - size, rtol=1e-5)
    found = model.score(images, method="ratio", background=background)
    np.testing.assert_allclose(found, nats - other, rtol=1e-4)
    assert np.abs(nats - other).min() > 0.1, "the two models must differ"
    assert model.score(images[:0]).shape == (0,)


def test_a_conditional_model_and_its_background(model_of):
    model, images = model_of(LABELLED), random_images(model_of(LABELLED), 3)
    context = context_of(model, 3)
    nats = -model.log_prob(images, **context)
    np.testing.assert_allclose(model.score(images, **context), nats, rtol=1e-5)
    found = model.score(images, method="ratio", background=model, **context)
    np.testing.assert_allclose(found, 0.0, atol=1e-6)


def test_bad_arguments_are_named(model_of):
    model, images = model_of(QUICK), random_images(model_of(QUICK), 2)
    for options, words in [
        ({"method": "entropy"}, "method='entropy'"),
        ({"method": "ratio"}, "background=None"),
        ({"background": model}, "method='nats'"),
        ({"method": "ratio", "background": "digits"}, "background='digits'"),
        ({"method": "ratio", "background": model_of(LABELLED)}, "of 5 levels"),
        ({"batch_size": 0}, "batch_size=0"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.score(images, **options)
    with pytest.raises(ValueError, match="values from 0 to 2"):
        model.score(images * 2 + (images == 0) * 0)


@pytest.mark.parametrize("levels", [2, 3, 16, 17, 256, 1000])
def test_what_is_compressed_holds_the_image(levels, rng):
    """Both forms are undone here, without the code that made them."""
    shape = (6, 5, 3)
    smooth = np.cumsum(rng.integers(0, 2, shape), axis=0) % levels
    for image in (smooth, rng.integers(0, levels, shape)):
        image = image.astype(">u2" if levels > 256 else np.uint8)
        bits = next((b for b in (1, 2, 4) if levels <= 2**b), None)

        def unpacked(data, bits=bits):
            if bits is None:
                kind = ">u2" if levels > 256 else np.uint8
                return np.frombuffer(data, kind).reshape(shape).astype(int)
            rows = np.frombuffer(data, np.uint8).reshape(len(smooth), -1)
            digits = np.unpackbits(rows, axis=1)[:, : 15 * bits].reshape(shape + (bits,))
            return digits @ (2 ** np.arange(bits)[::-1])

        np.testing.assert_array_equal(unpacked(compression._packed(image, levels)), image)
        data = compression._predicted(image, levels)
        rest, found = unpacked(data[6:]), np.zeros((7, 6, 3), int)
        for row in range(6):
            for column in range(5):
                a, b, c = (found[row + 1, column], found[row, column + 1], found[row, column])
                p = a + b - c
                paeth = [
                    min((abs(q - x), n, x) for n, x in enumerate(three))[2]
                    for q, *three in zip(p, a, b, c, strict=True)
                ]
                guess = [0 * a, a, b, (a + b) // 2, np.array(paeth)][data[row]]
                found[row + 1, column + 1] = (rest[row, column] + guess) % levels
        np.testing.assert_array_equal(found[1:, 1:], image)


def test_sizes_are_those_of_the_compressors(rng):
    noise = rng.integers(0, 256, (1, 30, 20, 3)).astype(np.uint8)
    (found,) = kp.scores.compressed_nats(noise, 256)
    assert found == pytest.approx(noise.size * math.log(256) + math.log(7))  # cannot be compressed
    stripes = np.tile(rng.integers(0, 256, (1, 30, 1, 3)), (1, 1, 20, 1)).astype(np.uint8)
    data = stripes.tobytes()
    smallest = min(len(zlib.compress(data, 9)), len(bz2.compress(data)), len(lzma.compress(data)))
    (found,) = kp.scores.compressed_nats(stripes, 256)
    assert found < 0.9 * smallest * compression.NATS_PER_BYTE  # prediction helps, headers are gone
    assert found > 30 * 3 * math.log(256)  # no code describes random rows in less
    flat, simple = np.zeros((1, 28, 28, 1), np.uint8), np.ones((1, 28, 28, 1), np.uint8)
    simple[:, ::2] = 0
    sizes = [kp.scores.compressed_nats(x, 2).item() for x in (flat, simple, noise[..., :1] % 2)]
    assert sizes == sorted(sizes)
    for wrong in (noise * 1.0, noise[0], noise.astype(int) + 1):
        with pytest.raises(ValueError, match="images"):
            kp.scores.compressed_nats(wrong, 256)


@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (20, 0.1), (199, 0.05), (99, 0.01), (6, 0.4)])
def test_a_threshold_keeps_its_rate(n, rate):
    """The share of false alarms, over many validation sets; the plain quantile promises too much."""
    rng = np.random.default_rng(0)
    runs, alarms, plain = 4000, [], []
    for _ in range(runs):
        scores = rng.random(n)  # of which P(score > t) = 1 - t
        alarms.append(1 - threshold(scores, rate))
        plain.append(1 - np.quantile(scores, 1 - rate))
    error = np.std(alarms) / math.sqrt(runs)
    assert np.mean(alarms) < rate + 4 * error
    assert np.mean(alarms) > rate - 1 / (n + 1) - 4 * error  # and gives away less than one image
    assert np.mean(plain) > rate + 4 * error, "the planted fault"


def test_too_few_scores_for_a_rate():
    with pytest.raises(ValueError, match="at least 99"):
        threshold(np.arange(98.0), 0.01)
    assert threshold(np.arange(99.0), 0.01) == 98.0
    for scores in ([], [[1.0]], [np.nan, 1.0], ["a"]):
        with pytest.raises(ValueError, match="scores"):
            threshold(scores, 0.5)
    for rate in (1 - 1e-11, 1 - 2**-53):  # the smallest score's
        assert threshold(np.arange(9.0), rate) == 0.0
    for rate in (0, 1, 1.5, "much"):
        with pytest.raises(ValueError, match="false_positive_rate"):
            threshold(np.arange(9.0), rate)


def batches(data, count, **options):
    stream = iter(data.training(16, seed=3, **options))
    return [np.asarray(next(stream)) for _ in range(count)]


@pytest.mark.parametrize("levels", [2, 17])
def test_noised_data(levels):
    """Replaced at the stated rate, by all values alike, the same whenever a training goes on."""
    images = np.full((400, 6, 5, 1), levels - 1, np.uint8)
    plain = kp.data.from_array(images, values="integers", levels=levels)
    data = plain.noised(0.3)
    seen = np.concatenate(batches(data, 60)).ravel()
    counts = np.bincount(seen, minlength=levels) / len(seen)
    share = np.full(levels, 0.3 / levels)
    share[-1] += 0.7
    assert np.abs(counts - share).max() < 4.5 * np.sqrt(share.max() / 4 / len(seen))
    steps = data.steps_per_epoch(16)
    first, *rest = batches(data, steps + 3)
    assert (first != rest[steps - 1]).any(), "new noise each epoch"
    np.testing.assert_array_equal(batches(data, 2, first_epoch=1, first_step=1), rest[steps:][:2])
    whole = np.concatenate([np.asarray(part) for part in data.evaluation("test", 7)])
    again = np.concatenate([np.asarray(part) for part in data.evaluation("test", 40)])
    np.testing.assert_array_equal(whole, again)
    assert 0 < (whole != levels - 1).mean() < 0.45
    assert "0.3 of the sub-pixels replaced at random" in data.protocol
    assert "replaced" not in plain.protocol
    assert (np.concatenate(batches(plain, 3)) == levels - 1).all()


def test_settings_of_a_background_model():
    settings = kp.training.Settings(background=0.2)
    assert load_data(settings).noise == 0.2
    assert load_data(kp.training.Settings()).noise == 0.0
    assert settings.to_dict()["background"] == 0.2  # a resumed training is asked for the same
    for share in (0, 1.5):
        with pytest.raises(ValueError, match="background"):
            kp.training.Settings(background=share)
    with pytest.raises(ValueError, match="share"):
        kp.data.load("digits").noised(0)
