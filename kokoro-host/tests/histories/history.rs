//! Random histories: what is done to the Planets (plugins) of one Primary, one thing after the other.

use std::fmt;

use proptest::prelude::*;

use crate::journal::Mood;
use crate::shape::{self, RELATIVES};

/// How many names there are.
const NAMES: u8 = 5;
/// How many things are done after a first folder was loaded.
const MOST_OPERATIONS: usize = 10;

/// One thing that is done, from outside or by a Planet's own fault.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A whole folder, as one set.
    LoadAll {
        planets: Vec<(Name, usize, Mood)>,
    },
    Load {
        name: Name,
        shape: usize,
        mood: Mood,
    },
    Unload {
        name: Name,
    },
    Reload {
        name: Name,
        with: Release,
        mood: Mood,
        cascading: bool,
    },
    /// With what is no component.
    ReloadBroken {
        name: Name,
    },
    Restart {
        name: Name,
        mood: Mood,
    },
    /// A call that ends in a crash, so many Planets further on; `mood` is how that name begins from then on.
    Crash {
        name: Name,
        depth: u32,
        mood: Mood,
    },
    /// Prefers a Planet for all interfaces of a name.
    Prefer {
        interface: char,
        planet: Option<Name>,
    },
    Call {
        name: Name,
        depth: u32,
    },
    /// A call of the best provider of an interface, whoever that is.
    CallBest {
        interface: char,
    },
}

/// What a Planet is reloaded with.
#[derive(Debug, Clone, Copy)]
pub enum Release {
    /// A shape that is akin to the one it has.
    Relative(usize),
    Any(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(u8);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

#[derive(Clone)]
pub struct History {
    /// How often an instance that ended in an error is started anew.
    pub limit: u32,
    /// Whether the application has a handle.
    pub handle: bool,
    pub operations: Vec<Operation>,
}

/// Histories over a pool of so many shapes.
pub fn histories(pool: usize) -> impl Strategy<Value = History> {
    let planet = prop::option::weighted(0.9, (0..pool, mood()));
    let first = prop::collection::vec(planet, NAMES as usize).prop_map(|planets| {
        let planets = (0..).zip(planets);
        let planets = planets.filter_map(|(name, planet)| planet.map(|(shape, mood)| (Name(name), shape, mood)));
        Operation::LoadAll { planets: planets.collect() }
    });
    let rest = prop::collection::vec(operation(pool), 0..=MOST_OPERATIONS);
    let limit = prop_oneof![4 => Just(20u32), 1 => Just(0), 2 => 1..=3u32];
    (first, rest, limit, any::<bool>()).prop_map(|(first, rest, limit, handle)| {
        let operations = [vec![first], rest].concat();
        History { limit, handle, operations }
    })
}

fn operation(pool: usize) -> impl Strategy<Value = Operation> {
    let name = || (0..NAMES).prop_map(Name);
    let interface = || prop::sample::select(&shape::NAMES[..]);
    let release = prop_oneof![3 => (0..RELATIVES).prop_map(Release::Relative), 1 => (0..pool).prop_map(Release::Any)];
    prop_oneof![
        3 => (name(), 0..pool, mood()).prop_map(|(name, shape, mood)| Operation::Load { name, shape, mood }),
        4 => name().prop_map(|name| Operation::Unload { name }),
        6 => (name(), release, mood(), any::<bool>())
            .prop_map(|(name, with, mood, cascading)| Operation::Reload { name, with, mood, cascading }),
        1 => name().prop_map(|name| Operation::ReloadBroken { name }),
        2 => (name(), mood()).prop_map(|(name, mood)| Operation::Restart { name, mood }),
        4 => (name(), 0..3u32, mood()).prop_map(|(name, depth, mood)| Operation::Crash { name, depth, mood }),
        2 => (interface(), prop::option::of(name()))
            .prop_map(|(interface, planet)| Operation::Prefer { interface, planet }),
        3 => (name(), 1..5u32).prop_map(|(name, depth)| Operation::Call { name, depth }),
        1 => interface().prop_map(|interface| Operation::CallBest { interface }),
    ]
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![8 => Just(Mood::Well), 1 => Just(Mood::Unwilling), 1 => Just(Mood::Ill)]
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadAll { planets } => {
                f.write_str("load a folder")?;
                planets.iter().try_for_each(|(name, shape, mood)| write!(f, "; {name} as #{shape}{mood}"))
            }
            Self::Load { name, shape, mood } => write!(f, "load {name} as #{shape}{mood}"),
            Self::Unload { name } => write!(f, "unload {name}"),
            Self::Reload { name, with, mood, cascading } => {
                let with = match with {
                    Release::Relative(variant) => format!("its relative {variant}"),
                    Release::Any(shape) => format!("#{shape}"),
                };
                write!(f, "reload {name} with {with}{}{mood}", if *cascading { ", cascading" } else { "" })
            }
            Self::ReloadBroken { name } => write!(f, "reload {name} with what is no component"),
            Self::Restart { name, mood } => write!(f, "restart {name}{mood}"),
            Self::Crash { name, depth, mood } => write!(f, "crash {name} at depth {depth}{mood}"),
            Self::Prefer { interface, planet: Some(planet) } => write!(f, "prefer {planet} for {interface}"),
            Self::Prefer { interface, planet: None } => write!(f, "prefer nobody for {interface}"),
            Self::Call { name, depth } => write!(f, "call {name} to depth {depth}"),
            Self::CallBest { interface } => write!(f, "call the best {interface}"),
        }
    }
}

impl fmt::Display for Mood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "",
            Self::Unwilling => ", from now on unwilling to start",
            Self::Ill => ", from now on trapping in its start",
        })
    }
}

impl fmt::Debug for History {
    /// What proptest shows of the smallest history that fails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handle = if self.handle { ", and the application has a handle" } else { "" };
        write!(f, "up to {} restarts{handle}", self.limit)?;
        self.operations.iter().try_for_each(|operation| write!(f, "\n  {operation}"))
    }
}
