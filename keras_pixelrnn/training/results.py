"""What a training leaves: test likelihood, model, pictures, SavedModel. Can be killed and repeated."""

import importlib.util
import json

import keras

from keras_pixelrnn import evaluation, presets
from keras_pixelrnn.data.pack import numbers_of
from keras_pixelrnn.models.pretrained import digest
from keras_pixelrnn.training import archive, report
from keras_pixelrnn.training.pictures import draw_pictures

PLAN = "results.json"


def finished_epochs(state):
    """Number of epochs of the training whose results are all written, or None."""
    plan = _plan(state)
    return plan.get("epochs") if plan.get("finished") else None


def write_results(settings, model, data, progress):
    """Test likelihood, `model.keras`, pictures, SavedModel, `metrics.json` and card of a training.

    Each is written in one move, and the version of the SavedModel is decided first, so that a stage
    that was killed can be repeated and ends with the same files.
    """
    plan = _plan(settings.state)
    if plan.get("finished") or plan.get("epochs") != progress.epoch:
        plan = {"epochs": progress.epoch, "version": _next_version(settings.output)}
        _keep(settings.state, plan)

    folder = settings.output
    metrics = result_metrics(settings, model, data, round(progress.seconds, 1))
    if progress.ended:
        metrics["ended"] = progress.ended
    _save(model, folder / "model.keras")
    draw_pictures(settings, model, data)
    path = _export(model, folder, plan["version"])
    metrics["version"] = plan["version"] if path else None
    archive.replace_text(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    facts = report.facts_of(folder.resolve().name, model, metrics, progress.epoch)
    report.write_report(folder, facts, own=True)
    _keep(settings.state, {**plan, "finished": True, "files": _digests(folder, path)})
    print(f"results in {folder}" + (f", SavedModel in {path}" if path else ""))


def lost(settings):
    """Names of the files of finished results that are gone, or not what was written."""
    written = _plan(settings.state).get("files", {})
    return [name for name, digest in written.items() if _digest(settings.output / name) != digest]


def repeat(settings, names):
    """Let results whose files `names` are lost be written again; a SavedModel that is only damaged stays
    where it is, as a server may hold it, and the next version is written."""
    plan = {**_plan(settings.state), "finished": False}
    exported = f"{plan['version']}/"
    if any(name.startswith(exported) for name in names) and (settings.output / exported).exists():
        plan["version"] = _next_version(settings.output)
    _keep(settings.state, plan)


def result_metrics(settings, model, data, seconds):
    """Content of `metrics.json`: the likelihood of all test images, and how it came about."""
    test = data.evaluation("test", settings.batch_size, labels=settings.conditional)
    likelihood = evaluation.evaluate(model, test)
    print(f"test: {likelihood}\nprotocol: {data.protocol}")
    found = {
        "test": {
            "nats": likelihood.nats,
            "bits_per_dim": likelihood.bits_per_dim,
            # None of one image: JSON has no nan.
            "standard_error": likelihood.standard_error if likelihood.images > 1 else None,
            "images": likelihood.images,
        },
        "protocol": data.protocol,
        "parameters": model.count_params(),
        "training_seconds": seconds,
        "settings": settings.to_dict(),
        "dataset": data.source.dataset,
        "values": numbers_of(data),
    }
    if settings.conditional:
        found["class_names"] = list(data.class_names)
    return found


def forget(state):
    """The results of an earlier training are no longer those of the one in this folder."""
    (state / PLAN).unlink(missing_ok=True)


def _plan(state):
    path = state / PLAN
    if not path.exists():
        return {}
    try:
        plan = dict(json.loads(path.read_text()))
        wrong = not isinstance(plan.get("files", {}), dict) or (
            plan and not all(isinstance(plan.get(name), int) for name in ("epochs", "version"))
        )
        if wrong:
            raise ValueError(f"not what was written: {str(plan)[:100]}")
        return plan
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged. Delete it: the results are then written again. Received: {error}"
        ) from error


def _keep(state, plan):
    archive.replace_text(state / PLAN, json.dumps(plan) + "\n")


def _digests(folder, export):
    """SHA-256 by name of the files that others read: not of what a person may write in."""
    files = [folder / "model.keras", folder / "metrics.json"]
    files += [] if export is None else sorted(file for file in export.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): _digest(file) for file in files}


def _digest(path):
    """That of a file; None where there is none."""
    return digest(path) if path.is_file() else None


def _next_version(folder):
    taken = [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()]
    return max(taken, default=0) + 1


def _save(model, path):
    with archive.moved_to(path, "The training itself is kept.") as beside:
        model.save(beside)


def _export(model, folder, version):
    """Path of the SavedModel, which may be there already; None where it cannot be made."""
    if keras.config.backend() != "tensorflow" or importlib.util.find_spec("tensorflow") is None:
        print(
            "no SavedModel: it is written by TensorFlow. On a machine that has it: "
            f"KERAS_BACKEND=tensorflow pixelrnn export {presets.spelled(folder)}"
        )
        return None
    from keras_pixelrnn.serving import check, export

    path = folder / str(version)
    if not path.exists():
        export.save_for_serving(model, folder, version)
    problems = check.check(path)
    print("\n".join(problems) or f"{path} is servable: it runs through the C API with XLA off")
    return path
