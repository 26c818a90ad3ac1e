#!/usr/bin/env python
"""Train a model of images; evaluate it, draw from it, export it.

    python train.py                                  # Diagonal BiLSTM on the embedded digits
    python train.py --recipe binarized_mnist_diagonal_1x32 --data-dir ~/tensorflow_datasets
    python train.py --dataset path/to/images --image-size 32 --model pixelcnn --epochs 20

Everything lands in --output: <version>/ (SavedModel), model.keras, metrics.json, samples.png,
completions.png, generation.gif, history.csv and, while training, training/ with TensorBoard logs and
what --resume needs.
"""

import argparse
import json
import os
import sys
import time
import tomllib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_pixelrnn as kp

RECIPES = Path(__file__).parent / "recipes"
MODELS = {
    "diagonal": lambda **options: kp.models.PixelRNN(recurrence="diagonal", **options),
    "row": lambda **options: kp.models.PixelRNN(recurrence="row", **options),
    "pixelcnn": kp.models.PixelCNN,
    "gated": kp.models.GatedPixelCNN,
    "multi_scale": kp.models.MultiScalePixelRNN,
}
SIZES = ("units", "num_blocks", "head_units", "kernel_size", "dropout", "skip")
DISTRIBUTIONS = {
    "bernoulli": lambda levels, mixtures: kp.distributions.Bernoulli(),
    "categorical": lambda levels, mixtures: kp.distributions.Categorical(levels),
    "logistic": kp.distributions.DiscretizedLogisticMixture,
    "normal": kp.distributions.DiscretizedNormalMixture,
}


def parse(argv=None):
    """Arguments: the defaults, overridden by a recipe, overridden by the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--recipe", help=f"settings from recipes/NAME.toml: {', '.join(recipe_names())}")
    add("--model", default="diagonal", help=f"one of {', '.join(MODELS)}")
    add("--preset", help=f"model and sizes by name: {', '.join(kp.models.PRESETS)}")
    add("--conditional", action="store_true", help="p(image | label), for data with labels")
    add("--dataset", default="digits", help="'digits', a TFDS name, or a folder of PNG/JPEG files")
    add("--data-dir", help="folder of prepared TFDS data (default: $TFDS_DATA_DIR)")
    add("--levels", type=int, help="values of a sub-pixel (default: those of the data)")
    add("--binarization", help="static, dynamic or threshold; for --levels 2")
    add("--image-size", type=int, help="side that images of a folder are cropped and resized to")
    add("--channels", type=int, default=3, help="channels of images of a folder: 1, 3 or 4")
    add("--distribution", help=f"{', '.join(DISTRIBUTIONS)} (default: by the levels)")
    add("--num-mixtures", type=int, default=5, help="of a logistic or normal distribution")
    add("--units", type=int, default=32)
    add("--num-blocks", type=int, default=2)
    add("--head-units", type=int, help="features of the 1x1 layers (default: 2 * units)")
    add("--kernel-size", type=int, default=7, help="side of the first layer, odd")
    add("--dropout", type=float, default=0.3)
    add("--skip", action="store_true", help="layer-to-output skip connections")
    add("--recurrence", default="diagonal", help="of a multi_scale model: diagonal or row")
    add("--factor", type=int, default=2, help="of a multi_scale model: large rows per small row")
    add("--dtype", default="float32", help="dtype policy, e.g. mixed_bfloat16")
    add("--epochs", type=int, default=60)
    add("--batch-size", type=int, default=32)
    add("--learning-rate", type=float, default=3e-3, help="peak; cosine decay to 1%% of it")
    add("--warmup", type=float, default=0.02, help="part of training that the rate climbs in")
    add("--clipnorm", type=float, default=20.0, help="largest norm of the gradient (of nats)")
    add("--ema", type=float, default=0.99, help="momentum of averaged weights; 0: none")
    add("--steps-per-execution", type=int, default=1)
    add("--seed", type=int, default=0)
    add("--output", type=Path, help="folder of results (default: saved_models/my-<model name>)")
    add("--resume", action="store_true", help="go on with the interrupted training in --output")
    args = parser.parse_args(argv)
    if args.recipe:
        parser.set_defaults(**read_recipe(args.recipe, parser))
        args = parser.parse_args(argv)
    if args.output is None:
        name = args.recipe or f"{Path(args.dataset).name}_{args.model}"
        args.output = Path("saved_models") / f"my-{name}"
    return args


def recipe_names():
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def read_recipe(name, parser):
    """Settings of `recipes/NAME.toml`, names as on the command line."""
    if name not in recipe_names():
        raise ValueError(
            f"Unknown recipe. Expected one of: {', '.join(recipe_names())}. Received: {name!r}"
        )
    settings = tomllib.loads((RECIPES / f"{name}.toml").read_text())
    settings = {key.replace("-", "_"): value for key, value in settings.items()}
    unknown = set(settings) - set(vars(parser.parse_args([])))
    if unknown:
        raise ValueError(f"recipes/{name}.toml has settings that train.py does not: {unknown}")
    return settings


def make_model(args, data):
    head = args.distribution or ("bernoulli" if data.levels == 2 else "categorical")
    for what, name, known in [("model", args.model, MODELS), ("distribution", head, DISTRIBUTIONS)]:
        if name not in known:
            raise ValueError(
                f"Unknown {what}. Expected one of: {', '.join(known)}. Received: {name!r}"
            )
    given = {"image_shape": data.image_shape, "dtype": args.dtype}
    if args.conditional:
        if not data.num_classes:
            raise ValueError(
                f"--conditional needs data with labels; {args.dataset} has none. Leave it out, or "
                "choose a labelled data set."
            )
        given["num_classes"] = data.num_classes
    if args.preset:
        if args.distribution:
            given["distribution"] = DISTRIBUTIONS[head](data.levels, args.num_mixtures)
        model = kp.models.from_preset(args.preset, **given)
    else:
        sizes = {name: getattr(args, name) for name in SIZES}
        if args.model == "gated":
            del sizes["skip"]
        if args.model == "multi_scale":
            sizes |= {"factor": args.factor, "recurrence": args.recurrence}
        distribution = DISTRIBUTIONS[head](data.levels, args.num_mixtures)
        model = MODELS[args.model](distribution=distribution, **given, **sizes)
    if model.distribution.levels != data.levels:
        raise ValueError(
            f"{model.distribution!r} holds {model.distribution.levels} levels, the data has "
            f"{data.levels}. Choose another --distribution or --preset, or --levels."
        )
    return model


def compile_model(args, model, steps):
    """Adam with warm-up, cosine decay, clipping and averaged weights, under XLA."""
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=args.learning_rate * 0.01,
        warmup_target=args.learning_rate,
        warmup_steps=max(1, round(steps * args.warmup)),
        decay_steps=steps,
        alpha=0.01,
    )
    ema = {"use_ema": True, "ema_momentum": args.ema} if args.ema else {}
    model.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=args.clipnorm, **ema),
        loss=kp.losses.NegativeLogLikelihood(model.distribution),
        metrics=[kp.metrics.BitsPerDimension(model.distribution)],
        jit_compile=True,
        steps_per_execution=args.steps_per_execution,
    )


def fit(args, model, data):
    """Train, keeping the weights that are best on validation. Returns the seconds it took."""
    state, history = args.output / "training", args.output / "history.csv"
    checkpoint = kp.checkpoint.Checkpoint(state, history, monitor="bits_per_dim")
    if checkpoint.exists() and not args.resume:
        raise ValueError(
            f"{args.output} holds an interrupted training. Go on with it by --resume, or choose "
            f"another --output, or delete {state} to give it up."
        )
    if args.resume and not checkpoint.exists():
        raise ValueError(f"There is no interrupted training to resume in {args.output}.")
    steps = data.steps_per_epoch(args.batch_size)
    first_epoch = checkpoint.resume(model, steps) if args.resume else 0
    rows = checkpoint.rows() if args.resume else []
    state.mkdir(parents=True, exist_ok=True)

    watch = [
        Seconds(sum(float(row["seconds"]) for row in rows[-1:])),
        keras.callbacks.CSVLogger(str(history), append=bool(rows)),
        checkpoint,
        keras.callbacks.TensorBoard(str(state / "tensorboard"), write_graph=False),
        keras.callbacks.TerminateOnNaN(),
    ]
    if args.ema:
        watch.append(keras.callbacks.SwapEMAWeights())
    model.fit(
        data.training(
            args.batch_size, seed=args.seed, first_epoch=first_epoch, labels=args.conditional
        ),
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=args.epochs,
        validation_data=data.evaluation("validation", args.batch_size, labels=args.conditional),
        callbacks=watch,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    checkpoint.finish()
    return float(checkpoint.rows()[-1]["seconds"])


class Seconds(keras.callbacks.Callback):
    """Adds the time spent in training so far to the log of each epoch."""

    def __init__(self, before):
        super().__init__()
        self._start = time.monotonic() - before

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = round(time.monotonic() - self._start, 1)


def draw_pictures(args, model, data):
    """Samples, their making, and completions; of a conditional model one column for each class."""
    levels, classes = model.distribution.levels, data.num_classes
    count, columns, context = 36, None, {}
    if args.conditional:
        columns = min(classes, 10)
        context = {"context": np.arange(columns * 4) % columns}
        count = len(context["context"])
    images = model.sample(count, seed=args.seed, **context)
    rgb = kp.visualize.to_rgb(images, levels)
    kp.visualize.save_png(args.output / "samples.png", kp.visualize.grid(rgb, columns))
    kp.visualize.save_film(args.output / "generation.gif", images[:16], levels)
    originals, *labels = tuple(
        np.asarray(part) for part in next(iter(data.evaluation("test", 6, labels=True)))
    )
    known = np.zeros(data.image_shape, bool)
    known[: data.image_shape[0] // 2] = True
    context = {"context": labels[0]} if args.conditional else {}
    kp.visualize.save_png(
        args.output / "completions.png",
        kp.visualize.completions(model, originals, known, seed=args.seed, **context),
    )


def main(argv=None):
    args = parse(argv)
    keras.utils.set_random_seed(args.seed)
    data = kp.data.load(
        args.dataset,
        data_dir=args.data_dir,
        levels=args.levels,
        binarization=args.binarization,
        image_size=args.image_size,
        channels=args.channels,
    )
    model = make_model(args, data)
    steps = args.epochs * data.steps_per_epoch(args.batch_size)
    compile_model(args, model, steps)
    args.output.mkdir(parents=True, exist_ok=True)
    print(f"{model.name}: {model.count_params():,} parameters on {data.protocol}")

    seconds = fit(args, model, data)
    test = data.evaluation("test", args.batch_size, labels=args.conditional)
    likelihood = kp.evaluation.evaluate(model, test)
    print(f"test: {likelihood}\nprotocol: {data.protocol}")

    model.save(args.output / "model.keras")
    draw_pictures(args, model, data)
    path = kp.export.save_for_serving(model, args.output)
    problems = kp.check_serving.check(path)
    print("\n".join(problems) or f"{path} is servable: it runs through the C API with XLA off")
    settings = {key: value for key, value in vars(args).items() if key not in ("output", "resume")}
    settings["data_dir"] = None  # a path of this machine
    metrics = {
        "test": {
            "nats": likelihood.nats,
            "bits_per_dim": likelihood.bits_per_dim,
            "standard_error": likelihood.standard_error,
            "images": likelihood.images,
        },
        "protocol": data.protocol,
        "parameters": model.count_params(),
        "training_seconds": seconds,
        "version": int(path.name),
        "settings": settings,
    }
    (args.output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"results in {args.output}, SavedModel in {path}")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"train.py: {error}")
    except KeyboardInterrupt:
        sys.exit("train.py: interrupted; go on with --resume")
