//! The life of the process: [`inherited`] is what it was started with, [`serve`] what it does, one call after the other, on the main
//! thread. [`watch`] is the other thread, which learns of cancelled calls and of the application's end.

use std::process::ExitCode;

use crate::Satellite;

#[cfg(unix)]
mod channel;
#[cfg(unix)]
mod inherited;
#[cfg(unix)]
mod logger;
#[cfg(unix)]
mod panics;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod watch;

/// Serves until the application has no more use for this process. Call it first thing in `main`:
///
/// ```no_run
/// # kokoro_satellite::satellite! { state: Codec, exports: ["images:native/codec@0.1.0"], wit: "doc/wit" }
/// # #[derive(Default)]
/// # struct Codec;
/// # impl codec::Guest for Codec {
/// #     fn add(&mut self, a: u32, b: u32) -> u32 { a + b }
/// #     fn shrink(&mut self, picture: Vec<u8>, width: u32) -> Result<Vec<u8>, String> { Err("no picture".to_owned()) }
/// # }
/// fn main() -> std::process::ExitCode {
///     kokoro_satellite::run::<Codec>()
/// }
/// ```
///
/// The value is made before the first call, and dropped when the application lets go; the exit code is 0 then. It is 1 if the
/// application says something that cannot be understood. Who starts the program by hand is told what it is, and gets 2.
///
/// If the application ends without letting go (it is killed, say), this process is ended at once, whatever it does. Processes that it has
/// started are not sure to be: on Linux the system ends this one alone. If you start any, see to it that they end with it: by the end
/// of a pipe that they read, or on Linux by a parent-death signal of their own.
///
/// A panic of a function is an error for its caller alone where panics unwind. A program that is built with `panic = "abort"` ends with
/// the first one, and all that its state knows is lost: leave that setting out of the profiles of a Satellite.
#[must_use]
pub fn run<S: Satellite>() -> ExitCode {
    #[cfg(unix)]
    let ended = started::<S>();
    #[cfg(not(unix))]
    let ended = Err::<(), _>(Ended { code: 2, why: "satellites are not supported on this system yet".to_owned() });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended { code, why }) => {
            complain(&why);
            ExitCode::from(code)
        }
    }
}

/// Why it ended.
#[derive(Debug)]
struct Ended {
    code: u8,
    why: String,
}

#[expect(clippy::print_stderr, reason = "whoever started the program is to read it")]
fn complain(why: &str) {
    eprintln!("{why}");
}

#[cfg(unix)]
fn started<S: Satellite>() -> Result<(), Ended> {
    let Some(inherited) = inherited::take() else {
        let program = std::env::args_os().next().unwrap_or_default();
        let program = std::path::Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Ended { code: 2, why: by_hand(&program, S::INTERFACES) });
    };
    let inherited = inherited.map_err(|why| Ended { code: 1, why })?;
    serve::serve::<S>(inherited).map_err(|why| Ended { code: 1, why })
}

/// What the program says when a person starts it.
#[cfg(unix)]
fn by_hand(program: &str, interfaces: &[crate::rt::Interface]) -> String {
    let names: Vec<_> = interfaces.iter().map(|interface| format!("`{}`", interface.name)).collect();
    format!(
        "{program} is a Satellite of a Planet (plugin): it serves {} to that one alone, is started by the application that \
         loads it, and belongs into PLANET.satellites/TARGET/ beside PLANET.wasm",
        names.join(" and "),
    )
}
