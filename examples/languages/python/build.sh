#!/bin/sh
# Makes score.wasm, with the componentize-py that is in .venv.
set -eu
cd "$(dirname "$0")"
.venv/bin/componentize-py --wit-path ../wit --world score-planet componentize score --output score.wasm
