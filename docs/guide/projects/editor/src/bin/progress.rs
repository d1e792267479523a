//! Serves an interface to plugins, by which they say how far they are; and takes a call back.

use std::error::Error;

use kokoro_host::{Caller, CancellationToken, Primary};

kokoro_host::bindings!({
    interfaces: ["guide:editor/command@0.1.0"],
    serves: ["guide:editor/progress@0.1.0"],
});

struct Progress;

/// On whose behalf a call is made.
struct Request {
    user: &'static str,
    stop: CancellationToken,
}

impl progress::Host for Progress {
    async fn step(&self, caller: &Caller, done: u32, of: u32) {
        let Some(request) = caller.attached::<Request>() else { return };
        println!("{} for {}: {done} of {of}", caller.planet(), request.user);
        if done == 3 {
            println!("{} has had enough", request.user);
            request.stop.cancel();
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let primary = Primary::builder().serve(progress::serve(Progress)).build()?;
    primary.load_dir("plugins").await?;

    for text in ["to be", "to be, or not to be"] {
        let stop = CancellationToken::new();
        let request = Request { user: "Ada", stop: stop.clone() };
        let command = primary.get::<command::Command>()?.with(request).cancelled_by(&stop);
        match command.run(text).await {
            Ok(result) => println!("{result:?}"),
            Err(error) if error.is_cancelled() => println!("cancelled"),
            Err(error) => println!("{error}"),
        }
    }
    primary.shutdown().await;
    Ok(())
}
