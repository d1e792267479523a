//! Has the crate compiled anew when a template changes: what `include_dir!` has read does not tell cargo of new files.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    for kind in ["interface", "planet", "planet-with-satellite", "primary"] {
        writeln!(io::stdout(), "cargo::rerun-if-changed={kind}")?;
    }
    Ok(())
}
