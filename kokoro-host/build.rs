//! Tells the crate which target it is built for: the name of the folder that a Satellite's program is looked for in.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=KOKORO_TARGET={target}");
}
