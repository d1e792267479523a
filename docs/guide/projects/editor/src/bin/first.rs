//! Loads plugins, says who runs, and calls one.

use std::error::Error;

use kokoro_host::Primary;

kokoro_host::bindings!({ interfaces: ["guide:editor/command@0.1.0"] });

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let primary = Primary::builder().build()?;
    let report = primary.load_dir("plugins").await?;
    println!("{report}");

    let command = primary.get::<command::Command>()?;
    match command.run("to be, or not to be").await? {
        Ok(text) => println!("{text}"),
        Err(reason) => println!("it cannot: {reason}"),
    }

    primary.shutdown().await;
    Ok(())
}
