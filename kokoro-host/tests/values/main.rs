//! Random values of random types, through several Planets (plugins) and back: each bit comes back as it was sent.
#![allow(dead_code, unreachable_pub, reason = "it is a program, and the tests of `value` use more of its generator")]
#![expect(clippy::print_stderr, reason = "how much was tried is worth knowing")]

mod component;
mod extent;
mod random;
mod types;
mod value;

use kokoro_host::{Engine, Primary};
use wit_component::StringEncoding;

use self::extent::{Counts, Extent};
use self::random::Random;
use self::types::Function;

/// How many functions an interface has: what is compiled at a time.
const FUNCTIONS: usize = 12;

/// Functions of random types, with so many calls of each.
async fn round(engine: &Engine, seed: u64, calls: usize, counts: &mut Counts) {
    let mut random = Random::new(seed);
    let functions: Vec<Function> = (0..FUNCTIONS).map(|_| Function::echo(&mut random)).collect();
    let seeds: Vec<u64> = functions.iter().map(|_| random.bits()).collect();
    let primary = Primary::builder().engine(engine).build().expect("a primary");
    let mut encoding = || random.one_of(&component::ENCODINGS);
    let encodings: [StringEncoding; 3] = [encoding(), encoding(), encoding()];
    let planets = [
        ("first", component::forwarder(&functions, "i1", "i0", encodings[0])),
        ("second", component::forwarder(&functions, "i2", "i1", encodings[1])),
        ("third", component::echo(&functions, "i2", encodings[2])),
    ];
    for (name, component) in planets {
        primary.load_bytes(name, component).await.unwrap_or_else(|error| panic!("{error}"));
    }
    for (number, function) in functions.iter().enumerate() {
        let mut random = Random::new(seeds[number]);
        let name = format!("f{number}");
        let called = primary.function("t:values/i0@1.0.0", &name);
        let called = called.unwrap_or_else(|error| panic!("{error}"));
        for _ in 0..calls {
            let mut room = if random.once(50) { 20_000 } else { 200 };
            let arguments: Vec<_> = function.params.iter().map(|ty| value::value(ty, &mut random, &mut room)).collect();
            let sent = value::encode_all(&function.params, &arguments);
            let results = called.call(&arguments).await;
            let results = results.unwrap_or_else(|error| {
                panic!("{name}: {}, {encodings:?}: {error}\n{arguments:?}", called.signature())
            });
            let mut came = value::encode_all(&function.result, &results);
            if function.is_wrapped() {
                assert_eq!(came.remove(0), 0, "it answers with `ok`");
            }
            assert!(came == sent, "{name}: {}, {encodings:?}:\n{arguments:?}\n{results:?}", called.signature());
            counts.calls += 1;
            counts.values += 2 * arguments.len();
            counts.bytes += 2 * sent.len();
        }
        counts.types += function.params.len();
    }
    counts.rounds += 1;
    primary.shutdown().await;
}

#[tokio::test]
async fn values_come_back_through_several_planets_as_they_were_sent() {
    let engine = Engine::new().expect("an engine");
    let extent = Extent::read(10);
    let mut counts = Counts::default();
    while let Some(seed) = extent.next(&counts) {
        let _repeat = extent::OnFailure(seed);
        round(&engine, seed, extent.calls, &mut counts).await;
    }
    eprintln!("through three planets: {counts}");
}
