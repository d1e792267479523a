//! What the main thread does: takes a call, executes it, answers.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use kokoro_value::Encoder;

use super::channel::{Channel, Incoming, unintelligible};
use super::inherited::Inherited;
use super::{logger, panics, watch};
use crate::memory::Memory;
use crate::protocol::{
    self, Answer, Call, Carried, Failed, Hello, MAGIC, MOST_INLINE, ToApplication, ToSatellite, VERSION,
};
use crate::rt::{self, Arguments, Reply};
use crate::{Satellite, cancelled};

/// How large the buffers for values may stay between calls: 8 MiB.
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
        value: Vec::new(),
        result: Encoder::new(),
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
    arguments: Memory,
    answers: Memory,
    value: Vec<u8>,
    result: Encoder,
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
            Carried::Inline(value) => value,
            Carried::Shared(length) => {
                self.read(*length)?;
                &self.value
            }
        };

        cancelled::begin(number);
        let mut arguments = Arguments::new(value);
        let mut reply = Reply::new(&mut self.result);
        let satellite = &mut self.satellite;
        // What the panic leaves behind is thrown away: the value is made anew, and so is the reply.
        let called = panic::catch_unwind(AssertUnwindSafe(|| satellite.call(function, &mut arguments, &mut reply)));
        cancelled::end();
        let done = match called {
            Ok(Ok(())) => Done::Answer(self.result(number)),
            Ok(Err(malformed)) => return Err(unintelligible(malformed)),
            Err(payload) => Done::Panicked(failed(number, &*payload)),
        };
        self.value.clear();
        self.value.shrink_to(KEPT);
        if self.result.bytes().len() > KEPT {
            self.result = Encoder::new();
        }
        Ok(done)
    }

    /// Reads arguments that are in the application's memory file.
    fn read(&mut self, length: u64) -> Result<(), String> {
        let too_many = || unintelligible(format_args!("arguments of {length} bytes, of at most {}", self.most));
        let size = usize::try_from(length).ok().filter(|_| length <= self.most).ok_or_else(too_many)?;
        let read = self.arguments.read(size, &mut self.value);
        read.map_err(|error| unintelligible(format_args!("arguments of {length} bytes cannot be read: {error}")))
    }

    /// The answer with the result that is there.
    fn result(&mut self, number: u64) -> ToApplication {
        let bytes = self.result.bytes();
        let length = bytes.len() as u64;
        if length > self.most {
            let message =
                format!("its result has {length} bytes, and the application takes no more than {}", self.most);
            return ToApplication::Failed(Failed { number, message });
        }
        let result = if bytes.len() <= MOST_INLINE {
            Carried::Inline(bytes.to_vec())
        } else if let Err(error) = self.answers.write(bytes) {
            let message = format!("there is no memory for its result of {length} bytes: {error}");
            return ToApplication::Failed(Failed { number, message });
        } else {
            self.shared = length;
            Carried::Shared(length)
        };
        ToApplication::Answer(Answer { number, result })
    }

    /// Exchanges the value after a panic, whatever its `Drop` does.
    fn begin_anew(&mut self) {
        let old = std::mem::replace(&mut self.satellite, S::start());
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(old)));
    }
}

fn failed(number: u64, payload: &(dyn Any + Send)) -> ToApplication {
    ToApplication::Failed(Failed { number, message: panics::sentence(payload) })
}
