//! What Extism calls: gives back what it gets. Numbers and records are in MessagePack, as Extism's own types for that have it.

use extism_pdk::{FnResult, Msgpack, plugin_fn};
use serde::{Deserialize, Serialize};

/// As WIT's `record place`.
#[derive(Serialize, Deserialize)]
struct Place {
    x: f64,
    y: f64,
    name: String,
}

#[plugin_fn]
pub fn nop() -> FnResult<()> {
    Ok(())
}

#[plugin_fn]
pub fn add(Msgpack((a, b)): Msgpack<(u32, u32)>) -> FnResult<u32> {
    Ok(a.wrapping_add(b))
}

#[plugin_fn]
pub fn text(value: String) -> FnResult<String> {
    Ok(value)
}

#[plugin_fn]
pub fn bytes(value: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(value)
}

#[plugin_fn]
pub fn floats(Msgpack(value): Msgpack<Vec<f64>>) -> FnResult<Msgpack<Vec<f64>>> {
    Ok(Msgpack(value))
}

#[plugin_fn]
pub fn numbers(Msgpack(value): Msgpack<Vec<u32>>) -> FnResult<Msgpack<Vec<u32>>> {
    Ok(Msgpack(value))
}

#[plugin_fn]
pub fn points(Msgpack(value): Msgpack<Vec<(f64, f64)>>) -> FnResult<Msgpack<Vec<(f64, f64)>>> {
    Ok(Msgpack(value))
}

#[plugin_fn]
pub fn places(Msgpack(value): Msgpack<Vec<Place>>) -> FnResult<Msgpack<Vec<Place>>> {
    Ok(Msgpack(value))
}
