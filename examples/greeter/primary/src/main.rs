//! The smallest Primary: loads the Planets (plugins) of a folder and calls one.

use kokoro_host::Primary;

kokoro_host::bindings!({ path: "../planet/wit", interfaces: ["acme:greeter/greeting@0.1.0"] });

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let primary = Primary::builder().build()?;
    primary.load_dir("target/planets/greeter").await?;
    let greeting = primary.get::<greeting::Greeting>()?;
    println!("{}", greeting.greet("Ada").await?);
    primary.shutdown().await;
    Ok(())
}
