//! The `log` facade, on `kokoro:core/log`. (`tracing` hands its events to `log` as long as nobody subscribes.)

use log::{LevelFilter, Log, Metadata, Record};

use super::core::kokoro::core::log as primary;

struct ToPrimary;

impl Log for ToPrimary {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            primary::write(to_primary(record.level()), record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Lets the Primary have what is logged. Does nothing natively, nor if the Planet installed a logger of its own.
pub(super) fn install() {
    // The types of `kokoro:core` are in a section of the object file with the bindings. Of a library, the linker takes only the object
    // files that somebody refers to; calls of imports refer to none where they were inlined, as happens when this crate is
    // compiled in several units and without link-time optimisation.
    #[cfg(target_arch = "wasm32")]
    super::core::__link_custom_section_describing_imports();
    if cfg!(target_arch = "wasm32") && log::set_logger(&ToPrimary).is_ok() {
        log::set_max_level(primary::max_level().map_or(LevelFilter::Off, from_primary));
    }
}

fn to_primary(level: log::Level) -> primary::Level {
    match level {
        log::Level::Error => primary::Level::Error,
        log::Level::Warn => primary::Level::Warn,
        log::Level::Info => primary::Level::Info,
        log::Level::Debug => primary::Level::Debug,
        log::Level::Trace => primary::Level::Trace,
    }
}

fn from_primary(level: primary::Level) -> LevelFilter {
    match level {
        primary::Level::Error => LevelFilter::Error,
        primary::Level::Warn => LevelFilter::Warn,
        primary::Level::Info => LevelFilter::Info,
        primary::Level::Debug => LevelFilter::Debug,
        primary::Level::Trace => LevelFilter::Trace,
    }
}
