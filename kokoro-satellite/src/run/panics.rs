//! What a panic said, and where.

use std::any::Any;
use std::panic;
use std::sync::{Mutex, PoisonError};

/// The last panic of this process.
static LAST: Mutex<Option<Panic>> = Mutex::new(None);

/// How much of a message is kept, in bytes.
const MOST: usize = 8 << 10;

#[derive(Debug)]
struct Panic {
    message: String,
    place: String,
}

/// Keeps what panics say from now on. Standard error gets it as before.
pub(super) fn keep() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        let message = text(panicked.payload()).to_owned();
        let place = panicked.location().map_or("an unknown place".to_owned(), ToString::to_string);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Panic { message, place });
        before(panicked);
    }));
}

/// A sentence about a panic that was caught. One of another thread may have been handed on, as thread pools do; then that was the
/// last one as well.
pub(super) fn sentence(payload: &(dyn Any + Send)) -> String {
    let message = text(payload);
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut sentence = match last {
        Some(last) if last.message == message => format!("panicked at {}: {message}", last.place),
        _ => format!("panicked: {message}"),
    };
    super::logger::shorten(&mut sentence, MOST);
    sentence
}

fn text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(without words)"
    }
}
