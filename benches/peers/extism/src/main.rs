//! The same calls by Extism, from the host to a plugin. `extism PLUGIN RESULTS`

use std::hint::black_box;
use std::path::Path;
use std::{env, fs};

use anyhow::{Result, bail};
use extism::{Manifest, Plugin, Wasm};
use extism_convert::Msgpack;
use kokoro_bench_measure::{CASES, Measure, Place, Value};

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [plugin, results] = &arguments[..] else { bail!("usage: extism PLUGIN RESULTS") };
    let results = Path::new(results);
    let mut plugin = Plugin::new(Manifest::new([Wasm::data(fs::read(plugin)?)]), [], false)?;
    let mut measure = Measure::new(&results.with_extension("criterion"));
    for case in &CASES {
        let value = case.value();
        measure.routine(case, "extism", |rounds| call(&mut plugin, &value, rounds))?;
    }
    measure.results().write(results)
}

fn call(plugin: &mut Plugin, value: &Value, rounds: u32) -> Result<()> {
    match value {
        Value::Nop => {
            for _ in 0..rounds {
                plugin.call::<(), ()>("nop", ())?;
            }
        }
        Value::Add(a, b) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, u32>("add", Msgpack((black_box(*a), black_box(*b))))?);
            }
        }
        Value::Text(text) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, String>("text", text.as_str())?);
            }
        }
        Value::Bytes(bytes) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, Vec<u8>>("bytes", bytes.as_slice())?);
            }
        }
        Value::Floats(floats) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, Msgpack<Vec<f64>>>("floats", Msgpack(floats))?);
            }
        }
        Value::Numbers(numbers) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, Msgpack<Vec<u32>>>("numbers", Msgpack(numbers))?);
            }
        }
        Value::Points(points) => {
            let points: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
            for _ in 0..rounds {
                black_box(plugin.call::<_, Msgpack<Vec<(f64, f64)>>>("points", Msgpack(&points))?);
            }
        }
        Value::Places(places) => {
            for _ in 0..rounds {
                black_box(plugin.call::<_, Msgpack<Vec<Place>>>("places", Msgpack(places))?);
            }
        }
    }
    Ok(())
}
