"""Under JAX, without TensorFlow: a training that is killed goes on as if it had not been. Run by
`tests/test_jax_training.py`."""

import pathlib
import sys

from tests import resuming

if __name__ == "__main__":
    folder, training = pathlib.Path(sys.argv[-1]), resuming.Training()
    whole = training.run(folder / "whole")
    resuming.assert_same(whole, training.run_with_kills(folder / "within", [3, 1, 4], minutes=1e-9))
    resuming.assert_same(whole, training.run_with_kills(folder / "between", [7]))
