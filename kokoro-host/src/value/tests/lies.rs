//! Components whose memory is random: what they say is a value is one to both ways of lifting or to none, and the same one.

use std::fmt;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, Val};

use super::super::{Answer, Arguments, Buffer, Crossing, Parcel};
use super::component::{BASE, ENCODINGS, parrot};
use super::extent::{Counts, Extent, OnFailure};
use super::random::Random;
use super::types::{Function, Type};
use super::{Subject, WAYS, Way, value};

/// How much memory is random.
const LENGTH: usize = 2048;
/// How large values may be. A dynamic value takes up to 256 bytes for each byte of the form, names included.
const MOST: usize = 8 << 10;
const FUEL: usize = MOST * 256;

/// What comes of lifting.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// The form of it.
    Value(Vec<u8>),
    Refused,
    TooLarge,
}

/// What came of how many.
#[derive(Debug, Default)]
struct Verdicts {
    values: usize,
    refused: usize,
    too_large: usize,
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { values, refused, too_large } = self;
        write!(f, "{values} were values, {refused} were refused, {too_large} were too large")
    }
}

/// Memory that looks like something, mostly: small numbers, addresses in this same memory, text.
fn memory(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Where nearly all is in order, what is deep inside is reached.
    let odd = random.one_of(&[4, 30, 200]);
    while bytes.len() < LENGTH {
        let inside = BASE + random.below(LENGTH) as u32;
        let word = match random.below(10) {
            _ if random.once(odd) => match random.below(5) {
                0 => random.bits() as u32,
                1 => 65536 - random.below(32) as u32,
                2 => inside,
                3 => random.one_of(&[0x8000_0000, 0xd800, 0xdfff, 0x11_0000, 0xffff_ffff, 0x8000_0004]),
                _ => u32::from_le_bytes([random.bits() as u8, 1, 0, 0]),
            },
            0..3 => random.below(3) as u32,
            3 => random.below(12) as u32,
            4 => u32::from_le_bytes(*b"text"),
            5 => u32::from_le_bytes([0, 1, 0, 1]),
            _ => inside & !7,
        };
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

impl Subject {
    /// Has memory be like this.
    async fn set(&mut self, memory: &[u8]) {
        let instance = self.instance;
        self.store.set_hostcall_fuel(FUEL);
        let set = instance.get_typed_func::<(&[u8],), ()>(&mut self.store, "set").unwrap();
        set.call_async(&mut self.store, (memory,)).await.unwrap();
    }

    fn crossing(&self, number: usize) -> Crossing {
        Crossing { plans: Arc::clone(&self.plans), called: Some(number), most: MOST, receiver: None }
    }

    /// Lets it pass a value to its import.
    async fn asks(&mut self, number: usize) -> Outcome {
        let crossing = self.crossing(number);
        self.store.data_mut().asked = None;
        let instance = self.instance;
        let call = instance.get_typed_func::<(), ()>(&mut self.store, &format!("call{number}")).unwrap();
        match crossing.scope(call.call_async(&mut self.store, ())).await {
            Ok(()) => self.store.data_mut().asked.take().map_or(Outcome::TooLarge, Outcome::Value),
            Err(_) => Outcome::Refused,
        }
    }

    /// Lets it return a value.
    async fn answers(&mut self, way: Way, number: usize, ty: &Type) -> Outcome {
        let (crossing, func) = (self.crossing(number), self.functions[number]);
        match way {
            Way::Val => {
                let mut results = [Val::Bool(false)];
                match crossing.scope(func.call_async(&mut self.store, &[], &mut results)).await {
                    Ok(()) => Outcome::Value(value::encode_all([ty], &results)),
                    Err(_) => Outcome::Refused,
                }
            }
            Way::Direct => {
                let typed = func.typed::<Arguments<'_>, Answer>(&self.store).unwrap();
                let parcel = Parcel::from(Buffer::default());
                let arguments = Arguments { parcel: &parcel, resources: &[] };
                match crossing.scope(typed.call_async(&mut self.store, arguments)).await {
                    Ok(Answer(lifted)) if lifted.too_large.is_some() => Outcome::TooLarge,
                    Ok(Answer(lifted)) => Outcome::Value(lifted.bytes.to_vec()),
                    Err(_) => Outcome::Refused,
                }
            }
        }
    }
}

/// Functions of random types, and so many random memories for each.
async fn round(engine: &Engine, seed: u64, memories: usize, counts: &mut Counts, verdicts: &mut Verdicts) {
    let mut random = Random::new(seed);
    let functions: Vec<Function> = (0..12).map(|_| Function::random(&mut random)).collect();
    let asks: Arc<[Function]> =
        functions.iter().map(|function| Function { params: function.params.clone(), result: None }).collect();
    let result = |function: &Function| function.result.clone().unwrap_or(Type::Char);
    let answers: Vec<Function> =
        functions.iter().map(|f| Function { params: Vec::new(), result: Some(result(f)) }).collect();
    let seeds: Vec<u64> = functions.iter().map(|_| random.bits()).collect();
    let encoding = random.one_of(&ENCODINGS);
    let component = Component::new(engine, parrot(&asks, &answers, encoding)).unwrap();
    for (number, seed) in seeds.into_iter().enumerate() {
        let mut random = Random::new(seed);
        let mut subjects = Vec::new();
        for way in WAYS {
            subjects.push(Subject::new(engine, &component, &asks, way).await);
        }
        for _ in 0..memories {
            let memory = memory(&mut random);
            for asked in [true, false] {
                let mut outcomes = Vec::new();
                for (way, subject) in WAYS.into_iter().zip(&mut subjects) {
                    subject.set(&memory).await;
                    let outcome = match asked {
                        true => subject.asks(number).await,
                        false => subject.answers(way, number, answers[number].result.as_ref().unwrap()).await,
                    };
                    if outcome == Outcome::Refused {
                        *subject = Subject::new(engine, &component, &asks, way).await;
                    }
                    outcomes.push(outcome);
                }
                let (direct, dynamic) = (outcomes.pop().unwrap(), outcomes.pop().unwrap());
                match direct {
                    // Dynamic values of that size are a matter of fuel.
                    Outcome::TooLarge => verdicts.too_large += 1,
                    _ => {
                        let ty = if asked { format!("{:?}", asks[number]) } else { format!("{:?}", answers[number]) };
                        assert!(direct == dynamic, "{direct:?}, and dynamically {dynamic:?}: {ty}, {encoding:?}");
                        match direct {
                            Outcome::Value(bytes) => {
                                (verdicts.values, counts.bytes) = (verdicts.values + 1, counts.bytes + bytes.len())
                            }
                            _ => verdicts.refused += 1,
                        }
                    }
                }
                counts.values += 1;
            }
            counts.calls += 2;
        }
        counts.types += asks[number].params.len() + 1;
    }
    counts.rounds += 1;
}

#[tokio::test]
async fn random_memory_is_the_same_value_to_both_or_to_none() {
    let engine = crate::engine::Engine::new().unwrap();
    let extent = Extent::read(20);
    let (mut counts, mut verdicts) = (Counts::default(), Verdicts::default());
    while let Some(seed) = extent.next(&counts) {
        let _repeat = OnFailure(seed);
        round(engine.wasmtime().next().unwrap(), seed, extent.calls, &mut counts, &mut verdicts).await;
    }
    eprintln!("random memory: {counts}; {verdicts}");
    assert!(verdicts.values > 0 && verdicts.refused > 0, "{verdicts}");
}
