//! Satellites (native child processes of Planets): that they do what they are for, and that whatever they do wrong stays with them.
//!
//! What is left behind is looked for in `/proc`, which only Linux has.
#![cfg(target_os = "linux")]

mod life;
mod orphans;
mod permission;
mod place;
mod programs;
mod rogues;
mod starts;
#[path = "../support/mod.rs"]
mod support;

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: ["test:guests/desk@0.1.0", "test:guests/choosy@0.1.0"],
});
