"""A whole training: data, model, fit, and the results of it."""

import json

import keras

from keras_pixelrnn import data as sources
from keras_pixelrnn import evaluation
from keras_pixelrnn.training import report
from keras_pixelrnn.training.fit import fit
from keras_pixelrnn.training.making import make_model
from keras_pixelrnn.training.pictures import draw_pictures
from keras_pixelrnn.training.schedule import compile_model


def load_data(settings):
    """The images that `settings` name, as an `ImageData`."""
    return sources.load(
        settings.dataset,
        data_dir=settings.data_dir,
        levels=settings.levels,
        binarization=settings.binarization,
        image_size=settings.image_size,
        channels=settings.channels,
    )


def train(settings):
    """Train, evaluate, draw, export. Everything lands in `settings.output`.

    Args:
        settings: a `Settings`.

    Raises:
        ValueError: settings that fit neither model nor data nor what the folder holds.
    """
    keras.utils.set_random_seed(settings.seed)
    data = load_data(settings)
    model = make_model(settings, data)
    compile_model(settings, model, settings.epochs * data.steps_per_epoch(settings.batch_size))
    settings.output.mkdir(parents=True, exist_ok=True)
    print(f"{model.name}: {model.count_params():,} parameters on {data.protocol}")
    seconds = fit(settings, model, data)
    write_results(settings, model, data, seconds)


def write_results(settings, model, data, seconds):
    """Test likelihood, `model.keras`, card, pictures, SavedModel and `metrics.json` of a training."""
    folder = settings.output
    metrics = result_metrics(settings, model, data, seconds)
    model.save(folder / "model.keras")
    draw_pictures(settings, model, data)
    path = _export(model, folder)
    metrics["version"] = int(path.name)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    epochs = len(report.read_history(folder))
    report.write_report(folder, report.facts_of(folder.name, model, metrics, epochs))
    print(f"results in {folder}, SavedModel in {path}")


def result_metrics(settings, model, data, seconds):
    """Content of `metrics.json`: the likelihood of all test images, and how it came about."""
    test = data.evaluation("test", settings.batch_size, labels=settings.conditional)
    likelihood = evaluation.evaluate(model, test)
    print(f"test: {likelihood}\nprotocol: {data.protocol}")
    return {
        "test": {
            "nats": likelihood.nats,
            "bits_per_dim": likelihood.bits_per_dim,
            "standard_error": likelihood.standard_error,
            "images": likelihood.images,
        },
        "protocol": data.protocol,
        "parameters": model.count_params(),
        "training_seconds": seconds,
        "settings": settings.to_dict(),
    }


def _export(model, folder):
    from keras_pixelrnn.serving import check, export  # TensorFlow

    path = export.save_for_serving(model, folder)
    problems = check.check(path)
    print("\n".join(problems) or f"{path} is servable: it runs through the C API with XLA off")
    return path
