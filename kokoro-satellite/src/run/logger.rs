//! The `log` facade, on the application's log. (`tracing` hands its events to `log` as long as nobody subscribes.)

use std::fmt::{self, Write as _};

use log::{LevelFilter, Log, Metadata, Record};

use super::channel::Channel;
use crate::protocol::{self, Level, ToApplication};

/// How many bytes a line and its target may have.
const MOST_MESSAGE: usize = 8 << 10;
const MOST_TARGET: usize = 256;

/// Sends what is logged.
struct ToPrimary(&'static Channel);

impl Log for ToPrimary {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What `tracing` says when spans come and go is for those who collect spans.
        metadata.level() <= log::max_level() && !metadata.target().starts_with("tracing::span")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut message = Bounded::default();
        // Breaks off where it has become too long.
        let _ = write!(message, "{}", record.args());
        let mut target = record.target().to_owned();
        shorten(&mut target, MOST_TARGET);
        let log = protocol::Log { level: level(record.level()), target, message: message.text };
        // Without an application there is nobody to tell, and the main thread finds out soon.
        let _ = self.0.send(&ToApplication::Log(log));
    }

    fn flush(&self) {}
}

/// Lets the application have what is logged from now on, down to a level; unless the author has installed a logger.
pub(super) fn install(channel: &'static Channel, least: Level) {
    if log::set_logger(Box::leak(Box::new(ToPrimary(channel)))).is_ok() {
        log::set_max_level(match least {
            Level::Trace => LevelFilter::Trace,
            Level::Debug => LevelFilter::Debug,
            Level::Info => LevelFilter::Info,
            Level::Warn => LevelFilter::Warn,
            Level::Error => LevelFilter::Error,
        });
    }
}

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warn,
        log::Level::Info => Level::Info,
        log::Level::Debug => Level::Debug,
        log::Level::Trace => Level::Trace,
    }
}

/// A text that stops to grow.
#[derive(Default)]
struct Bounded {
    text: String,
    is_full: bool,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Not everybody who writes stops at the first error.
        if self.is_full {
            return Err(fmt::Error);
        }
        let room = MOST_MESSAGE - self.text.len();
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room {
            cut(&mut self.text, MOST_MESSAGE);
            self.is_full = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Cuts a text off, and says so, if it has more bytes.
pub(super) fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        cut(text, most);
    }
}

/// Says at the end of a text that there was more, for which there may be something less of it.
fn cut(text: &mut String, most: usize) {
    const MARK: &str = " [..]";
    text.truncate(text.floor_char_boundary(most - MARK.len()));
    text.push_str(MARK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters_and_say_so() {
        let mut text = "ä".repeat(10);
        shorten(&mut text, 20);
        assert_eq!(text, "ä".repeat(10));
        shorten(&mut text, 12);
        assert_eq!(text, "äää [..]");

        for text in ["e", "é", "€", "🪐"].map(|letter| letter.repeat(MOST_MESSAGE)) {
            let mut message = Bounded::default();
            assert!(write!(message, "{text}more").is_err());
            assert!(message.text.len() <= MOST_MESSAGE && message.text.ends_with(" [..]"), "{}", message.text.len());
        }
    }
}
