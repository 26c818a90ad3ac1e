"""One pixel at a time gives what the whole map gives, for every layer and model."""

import numpy as np
import pytest
from keras import ops, tree

from keras_pixelrnn import raster
from keras_pixelrnn.layers import MaskedConv2D
from keras_pixelrnn.masks import color_of_features
from tests.conformance import LAYERS, MODELS, given_of, random_images, randomised


def run_stream(layer, x, context=None):
    """`layer` on the map `x`, pixel by pixel and colour by colour, in plain Python loops.

    A layer of mask type A gets the pixel as the raster engine gives it: later colours unknown."""
    batch, height, width, features = x.shape
    colors = layer.colors if hasattr(layer, "colors") else 1
    groups = color_of_features(features, colors)
    stream = layer.stream(batch, height, width, context)
    state, out = stream.state, None
    back = raster.sweep_back(stream)
    for r in range(height):
        left, row = state.left, []
        for c in range(width):
            above = tree.map_structure(lambda leaf, c=c: leaf[c], state.above)
            for color in range(colors):
                here = x[:, r, c, groups == color]
                if getattr(layer, "mask_type", "B") == "A":
                    here = np.where(groups < color, x[:, r, c], np.nan)
                y, left = stream.step(here, above, left, color)
                y = np.asarray(y)
                if out is None:
                    outs = color_of_features(layer.compute_output_shape(x.shape)[-1], colors, 1)
                    if getattr(layer, "gates", 1) > 1:
                        outs = layer.out_colors
                    out = np.zeros((batch, height, width, len(outs)), np.float32)
                out[:, r, c, outs == color] = y
            left, record = stream.close(x[:, r, c], left)
            row.append(record)
        row = tree.map_structure(lambda *leaves: ops.stack(leaves), *row)
        state = stream.next_row(state, row, iter(back(state, row)))
    return out


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("colors", "conditional"), [(1, False), (3, True)])
def test_every_layer(name, colors, conditional, rng):
    layer = LAYERS[name](colors)
    x = rng.normal(size=(2, 4, 5, 7)).astype(np.float32)
    context = rng.normal(size=(2, 4, 5, 3)).astype(np.float32) if conditional else None
    layer(x, context)
    randomised(layer)
    streamed = run_stream(layer, x, context)
    np.testing.assert_allclose(streamed, np.asarray(layer(x, context)), atol=1e-5)
    if conditional and layer.weights:
        assert np.abs(streamed - np.asarray(layer(x, context * 2))).max() > 1e-3


@pytest.mark.parametrize("name", LAYERS)
def test_a_vector_is_the_map_that_repeats_it(name, rng):
    """Told once for all pixels, `(batch, 1, 1, k)`: in both executions, with and without fused LSTM."""
    layer = LAYERS[name](1)
    x = rng.normal(size=(2, 4, 5, 7)).astype(np.float32)
    vector = rng.normal(size=(2, 1, 1, 3)).astype(np.float32)
    layer(x, vector)
    randomised(layer)
    repeated = np.asarray(layer(x, np.broadcast_to(vector, (2, 4, 5, 3))))
    np.testing.assert_allclose(np.asarray(layer(x, vector)), repeated, atol=1e-5)
    np.testing.assert_allclose(run_stream(layer, x, vector), repeated, atol=1e-5)
    if "LSTM" in name:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("keras_pixelrnn.backend.fused_lstm", lambda *args: None)
            np.testing.assert_allclose(run_stream(layer, x, vector), repeated, atol=1e-5)


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_every_model(case, model_of):
    """Scoring by the raster engine is `log_prob`, sub-pixel by sub-pixel."""
    model = model_of(case)
    given = given_of(model, 3)
    images = random_images(model, 3)
    parallel = np.asarray(model.nats_graph(images, *given))
    image, context = ops.convert_to_tensor(images), model.context.map(*given)
    if "multi_scale" in case.name:
        net = model.network
        small = net.reduce(image)
        scaled = model.distribution.network_input(small)
        streamed = net.merge(
            raster.score(net.coarse, model.distribution, small, net.coarse_context(context)),
            raster.score(net.fine, model.distribution, image, net.fine_context(scaled, context)),
        )
    else:
        streamed = raster.score(model.network, model.distribution, image, context)
    # Random weights make some values very unlikely, and the Normal density squares what is small:
    # float32 counts from the largest.
    atol = 1e-5 * max(1.0, np.abs(parallel[np.isfinite(parallel)]).max())
    np.testing.assert_allclose(np.asarray(streamed), parallel, atol=atol, rtol=0)


def test_a_wrong_step_is_seen(monkeypatch, rng):
    """The planted fault: a layer that forgets the row above."""
    layer = MaskedConv2D(4, 3, mask_type="B")
    x = rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
    layer(x)
    honest = MaskedConv2D.stream

    def forgetful(self, *args):
        stream = honest(self, *args)
        return stream._replace(next_row=lambda state, row, swept: state)

    monkeypatch.setattr(MaskedConv2D, "stream", forgetful)
    assert np.abs(run_stream(layer, x) - np.asarray(layer(x))).max() > 1e-2
