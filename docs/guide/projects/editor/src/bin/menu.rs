//! A menu of what plugins can do: its titles are known before any of their code runs.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};

use kokoro_host::{Admission, Primary};

kokoro_host::bindings!({ interfaces: ["guide:editor/command@0.1.0"] });

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let titles = Arc::new(Mutex::new(BTreeMap::new()));
    let seen = titles.clone();
    let builder = Primary::builder().admit(move |plugin| {
        // What the author wrote into `app.json`; it means what the application says that it means.
        if let Some(title) = plugin.manifest().app["title"].as_str() {
            seen.lock().unwrap().insert(plugin.name().to_owned(), title.to_owned());
        }
        Admission::admitted()
    });
    let primary = builder.build()?;
    primary.load_dir("plugins").await?;

    for command in primary.all::<command::Command>() {
        let name = command.planet().unwrap_or_default();
        let title = titles.lock().unwrap().get(&name).cloned().unwrap_or(name);
        println!("{title}: {:?}", command.run("to be").await?);
    }
    primary.shutdown().await;
    Ok(())
}
