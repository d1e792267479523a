//! The direct copy against Wasmtime's own dynamic values: random values of random types, through a component that hands them on,
//! given and taken in each of the two ways on each side.
#![allow(dead_code, unreachable_pub, reason = "the generator is a test program's, which uses more of it")]
#![expect(clippy::print_stderr, reason = "how much was tried is worth knowing")]

#[path = "../../tests/values/component.rs"]
mod component;
mod desk;
#[path = "../../tests/values/extent.rs"]
mod extent;
mod lies;
#[path = "../../tests/values/random.rs"]
mod random;
#[path = "../../tests/values/types.rs"]
mod types;
#[path = "../../tests/values/value.rs"]
mod value;

use std::sync::Arc;

use wasmtime::component::{Component, Func, Instance, Linker, LinkerInstance, Val};
use wasmtime::{Engine, Store, StoreContextMut};

use self::desk::{Desk, Full};
use self::extent::{Counts, Extent};
use self::random::Random;
use self::types::Function;
use super::{Answer, Arguments, Asked, Buffer, Crossing, Given, Lifted, Parcel, Plans, Receiver, Sent};

/// How values get into a component and out of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Val,
    Direct,
}

const WAYS: [Way; 2] = [Way::Val, Way::Direct];

/// What the import is asked, and what it answers.
#[derive(Debug, Default)]
struct Script {
    /// The form of its parameters; none if they were larger than values may be.
    asked: Option<Vec<u8>>,
    answer: Vec<Val>,
    /// The same in its form.
    form: Vec<u8>,
    /// Where the numbers begin that it ends in.
    numbers: Option<usize>,
}

/// An instance of a component that hands on what it is given, in a store of its own.
struct Subject {
    store: Store<Script>,
    instance: Instance,
    functions: Vec<Func>,
    /// Of the exports.
    plans: Arc<Plans>,
    receiver: Option<Arc<dyn Receiver>>,
}

impl Subject {
    /// Its import is served in this `way`.
    async fn new(engine: &Engine, component: &Component, functions: &Arc<[Function]>, way: Way) -> Self {
        let mut linker = Linker::new(engine);
        let mut instance = linker.instance("t:values/i@1.0.0").unwrap();
        for number in 0..functions.len() {
            match way {
                Way::Val => serve_val(&mut instance, functions, number),
                Way::Direct => serve_direct(&mut instance, &functions[number], number),
            }
        }
        let mut store = Store::new(engine, Script::default());
        store.set_epoch_deadline(u64::MAX / 2);
        store.set_hostcall_fuel(usize::MAX);
        let instance = linker.instantiate_async(&mut store, component).await.unwrap();
        let interface = instance.get_export_index(&mut store, None, "t:values/o@1.0.0").unwrap();
        let functions: Vec<Func> = (0..functions.len())
            .map(|number| {
                let index = instance.get_export_index(&mut store, Some(&interface), &format!("f{number}")).unwrap();
                instance.get_func(&mut store, index).unwrap()
            })
            .collect();
        let plans = Arc::new(Plans::new(functions.len()));
        Self { store, instance, functions, plans, receiver: Some(Arc::new(Desk::default())) }
    }

    /// Calls an export in this `way`, where no value may be larger than `most`. Gives the form of what it returns, if that is not
    /// larger.
    async fn call(
        &mut self,
        way: Way,
        number: usize,
        function: &Function,
        case: &Case,
        most: usize,
    ) -> Option<Vec<u8>> {
        let Self { plans, receiver, .. } = self;
        let crossing = Crossing { plans: Arc::clone(plans), called: Some(number), most, receiver: receiver.clone() };
        let func = self.functions[number];
        match way {
            Way::Val => {
                let mut results = vec![Val::Bool(false); case.answer.len()];
                let call = func.call_async(&mut self.store, &case.arguments, &mut results);
                crossing.scope(call).await.unwrap_or_else(|error| panic!("{error:?}"));
                Some(value::encode_all(&function.result, &results))
            }
            Way::Direct => {
                let typed = func.typed::<Arguments<'_>, Answer>(&self.store).unwrap();
                let parcel = Parcel::from(Buffer::from(case.sent.clone()));
                let arguments = Arguments { parcel: &parcel, resources: &[] };
                let Answer(lifted) = crossing
                    .scope(typed.call_async(&mut self.store, arguments))
                    .await
                    .unwrap_or_else(|error| panic!("{error:?}"));
                assert!(lifted.handles.is_empty());
                lifted.too_large.is_none().then(|| lifted.bytes.to_vec())
            }
        }
    }
}

impl Subject {
    /// What the last call has left in its memory.
    async fn seen(&mut self) -> Vec<u8> {
        let instance = self.instance;
        let seen = instance.get_typed_func::<(), (Vec<u8>,)>(&mut self.store, "seen").unwrap();
        seen.call_async(&mut self.store, ()).await.unwrap().0
    }
}

fn serve_val(instance: &mut LinkerInstance<'_, Script>, functions: &Arc<[Function]>, number: usize) {
    let functions = Arc::clone(functions);
    let serve = move |mut store: StoreContextMut<'_, Script>, _, params: &[Val], results: &mut [Val]| {
        let script = store.data_mut();
        script.asked = Some(value::encode_all(&functions[number].params, params));
        results.clone_from_slice(&script.answer);
        Ok(())
    };
    instance.func_new(&format!("f{number}"), serve).unwrap();
}

fn is_all_there(lifted: &Lifted) -> bool {
    lifted.too_large.is_none() && lifted.no_memory.is_none()
}

fn serve_direct(instance: &mut LinkerInstance<'_, Script>, function: &Function, number: usize) {
    fn answer<const M: usize>(script: &mut Script, lifted: &Lifted, asked: &[u8]) -> Given<M> {
        assert!(lifted.handles.is_empty());
        script.asked = is_all_there(lifted).then(|| asked.to_vec());
        let (here, behind) = script.form.split_at(script.numbers.unwrap_or(script.form.len()));
        let mut bytes = Buffer::new();
        bytes.extend_from_slice(here);
        if script.numbers.is_some() {
            bytes = bytes.followed_by(Box::new(desk::Behind(behind.to_vec())));
        }
        Given { bytes, numbers: Vec::new() }
    }
    fn define<const N: usize, const M: usize>(instance: &mut LinkerInstance<'_, Script>, number: usize) {
        let name = format!("f{number}");
        // Every other function as if a Satellite served it.
        let defined = match number.is_multiple_of(2) {
            true => instance.func_wrap(&name, |mut store: StoreContextMut<'_, Script>, Asked(lifted): Asked<N>| {
                Ok(answer::<M>(store.data_mut(), &lifted, &lifted.bytes))
            }),
            false => instance.func_wrap(&name, |mut store: StoreContextMut<'_, Script>, sent: Sent<N>| {
                let Sent { lifted, delivered } = sent;
                Ok(match delivered.filter(|_| is_all_there(&lifted)) {
                    Some(delivered) => {
                        assert!(lifted.bytes.is_empty());
                        answer::<M>(store.data_mut(), &lifted, &desk::bytes(delivered))
                    }
                    None => answer::<M>(store.data_mut(), &lifted, &lifted.bytes),
                })
            }),
        };
        defined.unwrap();
    }
    let params: usize = function.params.iter().map(|ty| ty.flat().len()).sum();
    let result = function.result.as_ref().map_or(0, |ty| ty.flat().len());
    macro_rules! define {
        ($($n:literal)*) => {
            match (if params > 16 { 0 } else { params }, result) {
                $(($n, 1) => define::<$n, 1>(instance, number),
                ($n, _) => define::<$n, 0>(instance, number),)*
                _ => unreachable!("more than 16 core values go through memory"),
            }
        };
    }
    define!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// One call: what is given, and what is to be answered.
#[derive(Debug)]
struct Case {
    arguments: Vec<Val>,
    sent: Vec<u8>,
    answer: Vec<Val>,
    form: Vec<u8>,
}

impl Case {
    fn random(function: &Function, random: &mut Random) -> Self {
        let mut room = if random.once(50) { 20_000 } else { 200 };
        let arguments: Vec<Val> = function.params.iter().map(|ty| value::value(ty, random, &mut room)).collect();
        let answer: Vec<Val> = function.result.iter().map(|ty| value::value(ty, random, &mut room)).collect();
        let sent = value::encode_all(&function.params, &arguments);
        let form = value::encode_all(&function.result, &answer);
        Self { arguments, sent, answer, form }
    }
}

/// Functions of random types, with so many calls of each. Gives for how many there was no memory where they went.
async fn round(engine: &Engine, seed: u64, calls: usize, counts: &mut Counts) -> usize {
    let mut without_memory = 0;
    let mut random = Random::new(seed);
    let functions: Arc<[Function]> = (0..12).map(|_| Function::random(&mut random)).collect();
    let seeds: Vec<u64> = functions.iter().map(|_| random.bits()).collect();
    let encoding = random.one_of(&component::ENCODINGS);
    let component = component::forwarder(&functions, "i", "o", encoding);
    let component = Component::new(engine, component).unwrap();
    let mut subjects = Vec::new();
    for way in WAYS {
        subjects.push((way, Subject::new(engine, &component, &functions, way).await));
    }
    for (number, function) in functions.iter().enumerate() {
        let mut random = Random::new(seeds[number]);
        for _ in 0..calls {
            let case = Case::random(function, &mut random);
            let largest = case.sent.len().max(case.form.len());
            let mut memory: Option<Vec<u8>> = None;
            for (served, subject) in &mut subjects {
                for called in WAYS {
                    let context = || {
                        format!(
                            "f{number}, {encoding:?}, served by {served:?}, called by {called:?}:\n{function:?}\n{case:?}"
                        )
                    };
                    let script = subject.store.data_mut();
                    (script.asked, script.answer, script.form) = (None, case.answer.clone(), case.form.clone());
                    script.numbers = function.result.as_ref().and_then(|ty| desk::numbers(ty, &case.form));
                    let result = subject.call(called, number, function, &case, largest).await;
                    let asked = subject.store.data().asked.as_ref();
                    assert!(asked == Some(&case.sent), "asked {asked:?}, {}", context());
                    assert!(result.as_ref() == Some(&case.form), "answered {result:?}, {}", context());
                    let seen = subject.seen().await;
                    assert!(memory.get_or_insert_with(|| seen.clone()) == &seen, "its memory differs, {}", context());
                    if (*served, called) == (Way::Direct, Way::Direct) && largest > 0 && random.once(4) {
                        // One byte more than is allowed is too much, and nothing worse.
                        let result = subject.call(called, number, function, &case, largest - 1).await;
                        let asked = subject.store.data().asked.as_ref();
                        assert_eq!(asked.is_some(), case.sent.len() < largest, "{}", context());
                        assert_eq!(result.is_some(), case.form.len() < largest, "{}", context());
                        // Nor is it any worse that there is no memory where it goes.
                        let desk = subject.receiver.replace(Arc::new(Full));
                        let result = subject.call(called, number, function, &case, largest).await;
                        subject.receiver = desk;
                        let asked = subject.store.data().asked.as_ref();
                        assert!(asked.is_none_or(|asked| *asked == case.sent), "asked {asked:?}, {}", context());
                        assert!(result.as_ref() == Some(&case.form), "answered {result:?}, {}", context());
                        without_memory += usize::from(asked.is_none());
                    }
                }
            }
            counts.calls += 1;
            counts.values += case.arguments.len() + case.answer.len();
            counts.bytes += case.sent.len() + case.form.len();
        }
        counts.types += function.params.len() + function.result.iter().len();
    }
    counts.rounds += 1;
    without_memory
}

#[tokio::test]
async fn the_direct_copy_and_wasmtimes_dynamic_values_agree() {
    let engine = crate::engine::Engine::new().unwrap();
    let extent = Extent::read(30);
    let (mut counts, mut without_memory) = (Counts::default(), 0);
    while let Some(seed) = extent.next(&counts) {
        let _repeat = extent::OnFailure(seed);
        without_memory += round(engine.wasmtime().next().unwrap(), seed, extent.calls, &mut counts).await;
    }
    assert!(without_memory > 0);
    eprintln!("direct copy against dynamic values: {counts}, {without_memory} calls without memory");
}
