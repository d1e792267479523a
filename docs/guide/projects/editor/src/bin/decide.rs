//! Decides who may load, and gives each plugin a folder of its own.

use std::error::Error;
use std::fs;
use std::path::Path;

use kokoro_host::{Admission, Candidate, Grants, Primary};

kokoro_host::bindings!({ interfaces: ["guide:editor/events@0.1.0"] });

/// Asked about each plugin, before any of its code is compiled.
fn admit(plugin: &Candidate) -> Admission {
    let asked = &plugin.manifest().permissions;
    if !asked.http.is_empty() || asked.net {
        return Admission::refused("this application gives nobody the network");
    }
    // The name is checked already: it is a word, and no path.
    let folder = Path::new("data").join(plugin.name());
    match fs::create_dir_all(&folder) {
        Ok(()) => Admission::granted(Grants::none().write(folder, "/data")),
        Err(error) => Admission::refused(format!("{}: {error}", folder.display())),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let primary = Primary::builder().admit(|plugin| admit(&plugin)).build()?;
    println!("{}", primary.load_dir("plugins").await?);
    primary.get::<events::Events>()?.saved("letter.txt").await?;
    primary.shutdown().await;

    print!("{}", fs::read_to_string("data/journal/journal.txt")?);
    Ok(())
}
