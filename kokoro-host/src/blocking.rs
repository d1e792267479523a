//! The door for applications without an async runtime.

use std::fmt;
use std::path::Path;

use tokio::runtime::{self, Runtime};

use crate::error::{Error, Kind};
use crate::graph::Graph;
use crate::primary::{self, Builder, Explanation, Function, Interface, Reload, Report};
use crate::registry::Events;

/// A [`Primary`](crate::Primary) for applications without an async runtime: it brings one of its own, and its methods wait.
///
/// ```no_run
/// mod bindings {
///     kokoro_host::bindings!({
///         path: "../examples/greeter/planet/wit",
///         interfaces: ["acme:greeter/greeting@0.1.0"],
///     });
/// }
/// use bindings::greeting::Greeting;
///
/// # fn main() -> Result<(), kokoro_host::Error> {
/// let primary = kokoro_host::Primary::builder().build_blocking()?;
/// primary.load_dir("plugins")?;
/// let greeting = primary.get::<Greeting>()?;
/// println!("{}", primary.wait(greeting.greet("Ada"))?);
/// primary.shutdown()?;
/// # Ok(())
/// # }
/// ```
///
/// What is not a method that waits is waited for by [`wait`](Primary::wait): calls, [`reload`](Primary::reload), and the next event.
///
/// Inside an async runtime waiting would keep a thread from its work, or deadlock. There each method that waits returns an error
/// that says what to use instead. That includes functions that the application serves: they run in this runtime, and are
/// async themselves.
pub struct Primary {
    primary: primary::Primary,
    /// Only taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Builder {
    /// Makes a Primary whose methods wait, for applications without an async runtime.
    ///
    /// # Errors
    ///
    /// As for [`build`](Builder::build); if this is called inside an async runtime, or if the system gives no threads.
    pub fn build_blocking(self) -> Result<Primary, Error> {
        outside_of_a_runtime()?;
        let runtime = runtime::Builder::new_multi_thread()
            .thread_name("kokoro")
            .enable_all()
            .build()
            .map_err(|error| Kind::NoThreads { error })?;
        let primary = {
            let _inside = runtime.enter();
            self.build()?
        };
        Ok(Primary { primary, runtime: Some(runtime) })
    }
}

impl Primary {
    /// As [`Primary::load_dir`](crate::Primary::load_dir).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn load_dir(&self, path: impl AsRef<Path>) -> Result<Report, Error> {
        self.wait(self.primary.load_dir(path))
    }

    /// As [`Primary::load`](crate::Primary::load).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Report, Error> {
        self.wait(self.primary.load(path))
    }

    /// As [`Primary::load_bytes`](crate::Primary::load_bytes).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn load_bytes(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<Report, Error> {
        self.wait(self.primary.load_bytes(name, bytes))
    }

    /// As [`Primary::get`](crate::Primary::get). What the handle's methods return is waited for by [`wait`](Primary::wait).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get<I: Interface>(&self) -> Result<I, Error> {
        self.primary.get()
    }

    /// As [`Primary::all`](crate::Primary::all).
    pub fn all<I: Interface>(&self) -> Vec<I> {
        self.primary.all()
    }

    /// As [`Primary::function`](crate::Primary::function).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn function(&self, path: &str, function: &str) -> Result<Function, Error> {
        self.primary.function(path, function)
    }

    /// As [`Primary::graph`](crate::Primary::graph).
    pub fn graph(&self) -> Graph {
        self.primary.graph()
    }

    /// As [`Primary::explain`](crate::Primary::explain).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn explain(&self, planet: &str) -> Result<Explanation, Error> {
        self.primary.explain(planet)
    }

    /// As [`Primary::unload`](crate::Primary::unload).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn unload(&self, planet: &str) -> Result<Report, Error> {
        self.wait(self.primary.unload(planet))
    }

    /// As [`Primary::reload`](crate::Primary::reload), to be waited for: `primary.wait(primary.reload("counter"))`.
    pub fn reload(&self, planet: &str) -> Reload {
        self.primary.reload(planet)
    }

    /// As [`Primary::restart`](crate::Primary::restart).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn restart(&self, planet: &str) -> Result<Report, Error> {
        self.wait(self.primary.restart(planet))
    }

    /// As [`Primary::prefer`](crate::Primary::prefer).
    ///
    /// # Errors
    ///
    /// As there, and inside an async runtime.
    pub fn prefer(&self, interface: &str, planet: Option<&str>) -> Result<(), Error> {
        self.wait(self.primary.prefer(interface, planet))
    }

    /// As [`Primary::events`](crate::Primary::events). The next one is waited for by
    /// `primary.wait(async { Ok(events.next().await) })`.
    pub fn events(&self) -> Events {
        self.primary.events()
    }

    /// Waits for a call: `primary.wait(page.render(&document))`.
    ///
    /// # Errors
    ///
    /// That of the call, and inside an async runtime.
    pub fn wait<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        outside_of_a_runtime()?;
        // What it begins, it may begin inside of the runtime only.
        self.runtime().block_on(async { call.await })
    }

    /// As [`Primary::shutdown`](crate::Primary::shutdown).
    ///
    /// # Errors
    ///
    /// Inside an async runtime.
    pub fn shutdown(&self) -> Result<(), Error> {
        self.wait(async {
            self.primary.shutdown().await;
            Ok(())
        })
    }

    /// The same Primary for async code that runs in a runtime of its own, or in functions that the application serves.
    pub fn primary(&self) -> &primary::Primary {
        &self.primary
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is there until this is dropped")
    }
}

fn outside_of_a_runtime() -> Result<(), Error> {
    match runtime::Handle::try_current() {
        Ok(_) => Err(Kind::InsideRuntime.into()),
        Err(_) => Ok(()),
    }
}

impl Drop for Primary {
    /// Waits for nothing: a runtime that is dropped would, and must not where others run.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Primary").field(&self.primary).finish()
    }
}
