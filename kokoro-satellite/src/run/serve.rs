//! What the main thread does: takes a call, executes it, answers.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};

use kokoro_value::Encoder;

use super::channel::{Channel, Incoming, unintelligible};
use super::inherited::Inherited;
use super::{logger, panics, watch};
use crate::memory::{Filling, Memory, Trusted};
use crate::protocol::{
    self, Answer, Call, Carried, Failed, Hello, MAGIC, MOST_INLINE, ToApplication, ToSatellite, VERSION,
};
use crate::rt::{self, Arguments, Reply};
use crate::{Satellite, cancelled};

/// How large the buffer for results may stay between calls: 8 MiB.
const KEPT: usize = 8 << 20;

/// Says who we are, and then does what is asked until the application lets go.
///
/// # Errors
///
/// A sentence about what the application said.
pub(super) fn serve<S: Satellite>(inherited: Inherited) -> Result<(), String> {
    let Inherited { token, socket, arguments, answers, cancels } = inherited;
    panics::keep();
    watch::watch(cancels).map_err(|error| format!("no thread can be started: {error}"))?;
    let writing = socket.try_clone().map_err(|error| format!("the socket cannot be used: {error}"))?;
    // It lives as long as the process: loggers are never taken away.
    let channel: &'static Channel = Box::leak(Box::new(Channel::new(writing)));
    let mut incoming = Incoming::new(socket);

    if channel.send(&ToApplication::Hello(hello::<S>(token))).is_err() {
        return Ok(());
    }
    let welcome = match incoming.next()? {
        Some(ToSatellite::Welcome(welcome)) => welcome,
        Some(ToSatellite::Call(_)) => return Err(unintelligible("a call came before the welcome")),
        None => return Ok(()),
    };
    logger::install(channel, welcome.level);
    let mut calls = Calls::<S> {
        satellite: S::start(),
        most: welcome.most,
        functions: count::<S>(),
        last: None,
        shared: 0,
        arguments,
        answers,
        buffer: Vec::new(),
    };
    while let Some(message) = incoming.next()? {
        let ToSatellite::Call(call) = message else {
            return Err(unintelligible("a second welcome"));
        };
        match calls.answer(call)? {
            Done::Answer(answer) => {
                if channel.send(&answer).is_err() {
                    break;
                }
            }
            Done::Panicked(failed) => {
                let is_there = channel.send(&failed).is_ok();
                calls.begin_anew();
                if !is_there {
                    break;
                }
            }
        }
    }
    // The author's last words are logged as any others, if anybody listens.
    drop(calls);
    Ok(())
}

fn hello<S: Satellite>(token: String) -> Hello {
    let function = |function: &rt::Function| protocol::Function {
        name: function.name.to_owned(),
        signature: function.signature.to_owned(),
    };
    let interface = |interface: &rt::Interface| protocol::Interface {
        name: interface.name.to_owned(),
        functions: interface.functions.iter().map(function).collect(),
    };
    let interfaces = S::INTERFACES.iter().map(interface).collect();
    Hello { magic: MAGIC.to_owned(), protocol: VERSION, token, interfaces }
}

fn count<S: Satellite>() -> u32 {
    let functions = S::INTERFACES.iter().map(|interface| interface.functions.len()).sum::<usize>();
    u32::try_from(functions).unwrap_or(u32::MAX)
}

/// What calls need, used again for each.
struct Calls<S> {
    satellite: S,
    /// How many bytes a value may have.
    most: u64,
    functions: u32,
    /// The number of the last call.
    last: Option<u64>,
    /// How many bytes of our memory file the last answer has.
    shared: u64,
    arguments: Trusted,
    answers: Memory,
    /// Where a result is put together.
    buffer: Vec<u8>,
}

/// What came of a call.
enum Done {
    Answer(ToApplication),
    Panicked(ToApplication),
}

impl<S: Satellite> Calls<S> {
    /// Executes a call.
    fn answer(&mut self, call: Call) -> Result<Done, String> {
        let Call { number, function, arguments } = call;
        if self.last.is_some_and(|last| number <= last) {
            return Err(unintelligible(format_args!(
                "call {number} comes after call {}",
                self.last.unwrap_or_default()
            )));
        }
        self.last = Some(number);
        if function >= self.functions {
            return Err(unintelligible(rt::Malformed::Function(function)));
        }
        // It has been read: there is a next call.
        self.answers.give_back(std::mem::take(&mut self.shared));
        let value = match &arguments {
            Carried::Inline(value) => value.as_slice(),
            Carried::Shared(length) => match shared(&mut self.arguments, *length, self.most)? {
                Ok(value) => value,
                Err(error) => {
                    let message = format!("there is no memory for its arguments of {length} bytes: {error}");
                    return Ok(Done::Answer(failed(number, message)));
                }
            },
        };

        let mut result = Bounded { to: self.answers.fill(), most: self.most, length: 0 };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut reply = Reply::new(Encoder::from(buffer).with_outlet(&mut result, MOST_INLINE));
        let mut arguments = Arguments::new(value);
        let satellite = &mut self.satellite;
        cancelled::begin(number);
        // What the panic leaves behind is thrown away: the value is made anew, and so is the reply.
        let called = panic::catch_unwind(AssertUnwindSafe(|| satellite.call(function, &mut arguments, &mut reply)));
        cancelled::end();
        match called {
            Ok(Ok(())) => {}
            Ok(Err(malformed)) => return Err(unintelligible(malformed)),
            Err(payload) => {
                drop(reply);
                self.answers.give_back(result.written());
                return Ok(Done::Panicked(failed(number, panics::sentence(&*payload))));
            }
        }

        let mut encoder = reply.into_encoder();
        let is_shared = encoder.finish();
        let bytes = encoder.into_bytes();
        let (length, carried) = match is_shared {
            Ok(false) => (bytes.len() as u64, Ok(Carried::Inline(bytes))),
            Ok(true) => {
                self.buffer = bytes;
                self.buffer.shrink_to(KEPT);
                self.shared = result.written();
                (result.length, result.finish().map(Carried::Shared))
            }
            Err(error) => {
                self.shared = result.written();
                (0, Err(error))
            }
        };
        if carried.is_err() || length > self.most {
            // Nobody reads it.
            self.answers.give_back(std::mem::take(&mut self.shared));
        }
        Ok(Done::Answer(match carried {
            Err(error) => failed(number, format!("there is no memory for its result: {error}")),
            // That it has too many is all that there is to say of it.
            Ok(_) if length > self.most => ToApplication::Answer(Answer { number, result: Carried::Shared(length) }),
            Ok(result) => ToApplication::Answer(Answer { number, result }),
        }))
    }

    /// Exchanges the value after a panic, whatever its `Drop` does.
    fn begin_anew(&mut self) {
        let old = std::mem::replace(&mut self.satellite, S::start());
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(old)));
    }
}

fn failed(number: u64, message: String) -> ToApplication {
    ToApplication::Failed(Failed { number, message })
}

/// The arguments that are in the application's memory file; an error inside if there is no memory for them here.
fn shared(memory: &mut Trusted, length: u64, most: u64) -> Result<io::Result<&[u8]>, String> {
    let size = usize::try_from(length).ok().filter(|_| length <= most);
    let size = size.ok_or_else(|| unintelligible(format_args!("arguments of {length} bytes, of at most {most}")))?;
    match memory.bytes(size) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(unintelligible(format_args!("arguments of {length} bytes cannot be read: {error}")))
        }
        read => Ok(read),
    }
}

/// A result on its way into the memory file. What is more than the application takes is counted, and not written.
struct Bounded<'m> {
    to: Filling<'m>,
    most: u64,
    length: u64,
}

impl Bounded<'_> {
    fn written(&self) -> u64 {
        self.to.length() as u64
    }

    /// Ends it, and tells how much was written.
    fn finish(self) -> io::Result<u64> {
        self.to.finish().map(|length| length as u64)
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len() as u64;
        if self.length <= self.most {
            self.to.put(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
