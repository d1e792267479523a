//! Tells the crate which target it is built for, the name of the folder that a Satellite's program is looked for in, and whether
//! there are Satellites at all.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=KOKORO_TARGET={target}");
    println!("cargo::rustc-check-cfg=cfg(satellites)");
    if env::var_os("CARGO_CFG_UNIX").is_some() && env::var_os("CARGO_FEATURE_SATELLITES").is_some() {
        println!("cargo::rustc-cfg=satellites");
    }
}
