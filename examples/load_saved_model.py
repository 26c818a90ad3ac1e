"""Use an export without this package: `python load_saved_model.py ../saved_models/digits/1`."""

import argparse
from pathlib import Path

import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", help="version of an export, such as ../saved_models/digits/1")
signatures = tf.saved_model.load(parser.parse_args().folder).signatures
drawn = signatures["sample"](seed=tf.constant([1, 2, 3], tf.int64))
scored = signatures["log_prob"](image=drawn["image"])
for number, png in enumerate(drawn["png_bytes"].numpy()):
    Path(f"sample-{number}.png").write_bytes(png)
    print(f"sample-{number}.png: {scored['bits_per_dim'][number]:.3f} bits/dim")
