#!/bin/sh
# Makes rack.wasm, with clang, wasm-ld and wasi-libc, and the bindings that wit-bindgen generates.
set -eu
cd "$(dirname "$0")"
wit-bindgen c ../wit --world rack-planet --out-dir bindings
clang --target=wasm32-wasi -mexec-model=reactor -Os -Wall -Wextra -Ibindings -o rack.wasm \
    rack.c bindings/rack_planet.c bindings/rack_planet_component_type.o
kokoro build rack.wasm --out planets
