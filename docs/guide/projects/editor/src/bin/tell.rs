//! Tells all plugins what has happened, and one that fails keeps nobody from hearing of it.

use std::error::Error;

use kokoro_host::Primary;

kokoro_host::bindings!({ interfaces: ["guide:editor/events@0.1.0"] });

async fn tell_all(primary: &Primary, path: &str) {
    for listener in primary.all::<events::Events>() {
        if let Err(error) = listener.saved(path).await {
            println!("{} has not listened: {error}", listener.planet().unwrap_or_default());
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let primary = Primary::builder().build()?;
    primary.load_dir("plugins").await?;
    let mut changes = primary.events();

    tell_all(&primary, "letter.txt").await;
    primary.unload("journal").await?;
    tell_all(&primary, "letter.txt").await;

    while let Some(change) = changes.try_next() {
        println!("{change}");
    }
    primary.shutdown().await;
    Ok(())
}
