//! Write Satellites: native child processes that belong to a Planet (plugin).

#[cfg(unix)]
pub mod memory;
pub mod protocol;
