//! What `kokoro:core` serves to every Planet.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};

use super::binding::{Bindings, Bound};
use crate::interface::{InterfaceName, in_one_line};
use crate::planet::State;

/// `level` of `kokoro:core/log`.
#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "error")]
    Error,
    #[component(name = "warn")]
    Warn,
    #[component(name = "info")]
    Info,
    #[component(name = "debug")]
    Debug,
    #[component(name = "trace")]
    Trace,
}

/// Defines what `kokoro:core` has under the name `interface`; nothing if it has nothing, which linking then finds out.
pub(super) fn define(
    instance: &mut LinkerInstance<'_, State>,
    interface: &InterfaceName,
    bindings: &Arc<Bindings>,
) -> wasmtime::Result<()> {
    let is = |constant: &str| constant.parse().is_ok_and(|served: InterfaceName| served.can_serve(interface));
    match interface.interface() {
        "dependencies" if is(kokoro_wit::DEPENDENCIES) => {
            let bindings = Arc::clone(bindings);
            instance.func_wrap("is-bound", move |mut store: StoreContextMut<'_, State>, (name,): (String,)| {
                let import = name.parse().ok();
                Ok((import.is_some_and(|import| hold(store.data_mut(), &bindings, &import)),))
            })
        }
        "current-call" if is(kokoro_wit::CURRENT_CALL) => instance
            .func_wrap("is-cancelled", |store: StoreContextMut<'_, State>, (): ()| {
                Ok((store.data().call().is_cancelled(),))
            }),
        "log" if is(kokoro_wit::LOG) => {
            instance.func_wrap("max-level", |_: StoreContextMut<'_, State>, (): ()| Ok((max_level(),)))?;
            instance.func_wrap(
                "write",
                |store: StoreContextMut<'_, State>, (level, target, message): (Level, String, String)| {
                    write(store.data().name(), level, &target, &message);
                    Ok(())
                },
            )
        }
        _ => Ok(()),
    }
}

/// Whether an import is bound; its provider then stays until the exported call ends that the Planet executes.
fn hold(state: &mut State, bindings: &Bindings, import: &InterfaceName) -> bool {
    if state.held(&import.to_string()).is_some_and(|target| target.planet.ended().is_none()) {
        return true;
    }
    loop {
        match bindings.bound(import) {
            Some(Bound::Planet(own, target)) => {
                let own = own.to_string().into();
                state.hold(&own, target.clone());
                // A change that was announced just before the hold does not wait for it, and has pointed elsewhere by now.
                match bindings.bound(import) {
                    Some(Bound::Planet(_, today)) if today.planet.is(&target.planet) => return true,
                    _ => state.let_go(&own),
                }
            }
            Some(Bound::Application | Bound::Satellite) => return true,
            None => return false,
        }
    }
}

fn max_level() -> Option<Level> {
    match LevelFilter::current().into_level()? {
        tracing::Level::ERROR => Some(Level::Error),
        tracing::Level::WARN => Some(Level::Warn),
        tracing::Level::INFO => Some(Level::Info),
        tracing::Level::DEBUG => Some(Level::Debug),
        tracing::Level::TRACE => Some(Level::Trace),
    }
}

/// How many characters of a line are logged; the rest is cut.
const LINE: usize = 16 * 1024;

/// Logs each line by itself, so that none can pass for somebody else's.
fn write(planet: &str, level: Level, module: &str, message: &str) {
    let end = |text: &str| text.char_indices().nth(LINE).map_or(text.len(), |(end, _)| end);
    let module = in_one_line(&module[..end(module)]);
    let lines = message.lines().chain(message.is_empty().then_some(""));
    for line in lines {
        write_line(planet, level, &module, &in_one_line(&line[..end(line)]));
    }
}

/// `tracing` wants the level and target of an event to be constants, so the Planet's own target becomes a field.
fn write_line(planet: &str, level: Level, module: &str, message: &str) {
    match level {
        Level::Error => tracing::error!(target: "kokoro::planet", planet, module, "{message}"),
        Level::Warn => tracing::warn!(target: "kokoro::planet", planet, module, "{message}"),
        Level::Info => tracing::info!(target: "kokoro::planet", planet, module, "{message}"),
        Level::Debug => tracing::debug!(target: "kokoro::planet", planet, module, "{message}"),
        Level::Trace => tracing::trace!(target: "kokoro::planet", planet, module, "{message}"),
    }
}
