//! The same components in Wasmtime without Kokoro.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use kokoro_bench_measure::{Case, Value, check};
use tokio::sync::Mutex;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentNamedList, Func, Lift, Linker, Lower, ResourceTable, TypedFunc};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::Components;
use crate::kokoro::{caller, echo, place, point, work};

const ECHO: &str = "bench:calls/echo@0.1.0";
const CALLER: &str = "bench:calls/caller@0.1.0";

#[derive(Default)]
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// One component in a store of its own.
pub(crate) struct Instance {
    store: Store<State>,
    instance: wasmtime::component::Instance,
    broken: bool,
}

impl Instance {
    async fn new(engine: &Engine, linker: &Linker<State>, component: &Component) -> Result<Self> {
        let mut store = Store::new(engine, State::default());
        // As Kokoro has it: what runs long yields.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        // By default a value has to be smaller than 3.3 million elements.
        store.set_hostcall_fuel(usize::MAX);
        let instance = linker.instantiate_async(&mut store, component).await.map_err(told)?;
        Ok(Self { store, instance, broken: false })
    }

    /// The provider alone.
    pub(crate) async fn echo(engine: &Engine, components: &Components) -> Result<Self> {
        let component = Component::from_binary(engine, &components.echo).map_err(told)?;
        Self::new(engine, &linker(engine)?, &component).await
    }

    /// The caller, whose imports call the provider in another store by dynamic values: what there is without a codec of one's own.
    pub(crate) async fn linked_by_values(engine: &Engine, components: &Components) -> Result<Self> {
        let mut provider = Self::echo(engine, components).await?;
        let component = Component::from_binary(engine, &components.caller).map_err(told)?;
        let ty = component.component_type();
        let import = ty.get_import(engine, ECHO).context("the caller does not import the provider")?;
        let ComponentItem::ComponentInstance(import) = import.ty else { anyhow::bail!("`{ECHO}` is no instance") };
        let mut functions = Vec::new();
        for (name, item) in import.exports(engine) {
            if let ComponentItem::ComponentFunc(_) = item.ty {
                functions.push((name.to_owned(), provider.function(ECHO, name)?));
            }
        }
        let provider = Arc::new(Mutex::new(provider));
        let mut linker = linker(engine)?;
        let mut instance = linker.instance(ECHO).map_err(told)?;
        for (name, function) in functions {
            let provider = Arc::clone(&provider);
            instance
                .func_new_async(&name, move |_: StoreContextMut<'_, State>, _, params, results| {
                    let provider = Arc::clone(&provider);
                    Box::new(async move {
                        let mut provider = provider.lock().await;
                        function.call_async(&mut provider.store, params, results).await
                    })
                })
                .map_err(told)?;
        }
        Self::new(engine, &linker, &component).await
    }

    /// Both in one component, if there is such a one.
    pub(crate) async fn fused(engine: &Engine, components: &Components) -> Option<Result<Self>> {
        let bytes = components.fused.as_ref()?;
        Some(
            async {
                let component = Component::from_binary(engine, bytes).map_err(told)?;
                Self::new(engine, &linker(engine)?, &component).await
            }
            .await,
        )
    }

    fn function(&mut self, interface: &str, name: &str) -> Result<Func> {
        let store = &mut self.store;
        let index = self.instance.get_export_index(&mut *store, None, interface);
        let index = index.and_then(|index| self.instance.get_export_index(&mut *store, Some(&index), name));
        let function = index.and_then(|index| self.instance.get_func(&mut *store, index));
        function.with_context(|| format!("there is no `{interface}.{name}`"))
    }

    fn typed<P, R>(&mut self, interface: &str, name: &str) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        self.function(interface, name)?.typed(&self.store).map_err(told)
    }

    async fn repeat<P, R>(&mut self, name: &str, params: P, rounds: u32) -> Result<()>
    where
        P: ComponentNamedList + Lower + Copy + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = self.typed::<P, R>(ECHO, name)?;
        for _ in 0..rounds {
            black_box(function.call_async(&mut self.store, black_box(params)).await.map_err(told)?);
        }
        Ok(())
    }

    /// So many calls of the provider, with types that are known when this is compiled.
    pub(crate) async fn rounds(&mut self, value: &Value, rounds: u32) -> Result<()> {
        match value {
            Value::Nop => self.repeat::<(), ()>("nop", (), rounds).await,
            Value::Add(a, b) => self.repeat::<_, (u32,)>("add", (*a, *b), rounds).await,
            Value::Text(text) => self.repeat::<_, (String,)>("text", (text.as_str(),), rounds).await,
            Value::Bytes(bytes) => self.repeat::<_, (Vec<u8>,)>("bytes", (bytes.as_slice(),), rounds).await,
            Value::Floats(floats) => self.repeat::<_, (Vec<f64>,)>("floats", (floats.as_slice(),), rounds).await,
            Value::Numbers(numbers) => self.repeat::<_, (Vec<u32>,)>("numbers", (numbers.as_slice(),), rounds).await,
            Value::Points(points) => {
                let points: Vec<_> = points.iter().map(point).collect();
                self.repeat::<_, (Vec<echo::Point>,)>("points", (points.as_slice(),), rounds).await
            }
            Value::Places(places) => {
                let places: Vec<_> = places.iter().map(place).collect();
                self.repeat::<_, (Vec<echo::Place>,)>("places", (places.as_slice(),), rounds).await
            }
        }
    }

    /// Has the caller call the provider so many times.
    pub(crate) async fn run(&mut self, case: &Case, rounds: u32) -> Result<()> {
        let run = self.typed::<(caller::Work, u32, u32), (u64,)>(CALLER, "run")?;
        let answer = run.call_async(&mut self.store, (work(case.work), case.length, rounds)).await;
        self.broken |= answer.is_err();
        check(case, rounds, answer.map_err(told)?.0)
    }

    /// Whether it cannot be called any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(told)?;
    Ok(linker)
}

/// Wasmtime's errors are no `std::error::Error`s.
fn told(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
