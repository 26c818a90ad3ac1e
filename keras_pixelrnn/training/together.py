"""Training on several devices and in several processes: the way in, the way out."""

import sys
from dataclasses import replace

import keras

from keras_pixelrnn.training import fit as alone
from keras_pixelrnn.training import progress as states
from keras_pixelrnn.training.making import make_model
from keras_pixelrnn.training.schedule import compile_model
from keras_pixelrnn.training.stopping import Stopped

GONE = 1  # exit code where another process of the training is no longer there


def fit(settings, model, data, stopping, callbacks, team):
    """`training.fit.fit` on the devices of `team`, with a clear end where not all of its processes last.

    None of several processes can go on without the others, nor leave in good order: whatever ends one of
    them ends it at once, after a line on stderr.
    """
    if team.processes == 1:
        return alone.fit(settings, model, data, stopping, callbacks, team)
    stopping.leave = lambda stopped: _leave(team, stopped, stopped.code)
    try:
        return alone.fit(settings, model, data, stopping, callbacks, team)
    except Stopped as stopped:
        _leave(team, stopped, stopped.code)
    except Exception as error:  # of whatever library noticed it first
        lines = str(error).strip().splitlines() or [type(error).__name__]
        _leave(
            team,
            f"process {team.rank} of {team.processes} cannot go on; most often another one is gone. "
            f"Begin all of them again with --resume. Received: {type(error).__name__}: {lines[0]}",
            GONE,
        )


def apart(settings, model, data, steps, team):
    """The model, its optimizer included, on one device of this process alone, as results are made of."""
    arrays = states.capture(model, ("model", "optimizer"))
    team.disband()
    keras.utils.clear_session()  # so that it is called the same
    model = make_model(settings, data)
    compile_model(replace(settings, distribute=False), model, settings.epochs * steps)
    model.optimizer.build(model.trainable_variables)
    states.restore(model, arrays)
    return model


def _leave(team, words, code):
    print(f"pixelrnn: {words}", file=sys.stderr, flush=True)
    team.leave(code)
