"""`model.export` of Keras: what works, and what is refused by name."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance import MODELS, QUICK, random_images


@pytest.mark.parametrize("name", ["diagonal", "row"])
def test_an_lstm_is_not_exported_for_litert(name, model_of, tmp_path):
    """Its file would crash the interpreter."""
    case = next(case for case in MODELS if case.name.startswith(name))
    with pytest.raises(ValueError, match=r"LSTM.*format='litert'"):
        model_of(case).export(str(tmp_path / "model.tflite"), format="litert")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow  # the converter takes 8 s
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_convolutions_run_in_litert(model_of, tmp_path):
    model, path = model_of(QUICK), str(tmp_path / "model.tflite")
    model.export(path, format="litert", verbose=False)
    interpreter = tf.lite.Interpreter(path)
    image = random_images(model, 1)
    (given,), (params,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], image.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], image)
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(params["index"]), model(image), atol=1e-5)
