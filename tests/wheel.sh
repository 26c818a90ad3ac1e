#!/bin/sh
# sh tests/wheel.sh FILE.whl: install it into a clean environment and use it in an empty folder.
set -eu
wheel=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv env
env/bin/pip install --quiet "$wheel"
env/bin/pip check
mkdir empty
cd empty
PATH="$folder/env/bin:$PATH"
pixelrnn --version
pixelrnn models
pixelrnn sample digits -n 4 --out drawn
pixelrnn complete digits drawn/00000.png -n 2 --out completed
pixelrnn score digits drawn
pixelrnn train --epochs 1 --units 4 --num-blocks 1 --output trained
pixelrnn evaluate trained
pixelrnn export digits --out exported
pixelrnn check exported/1
du -k "$wheel"
