//! `kokoro_host::bindings!`: what an application calls of its Planets (plugins), and what it serves to them.

mod called;
mod parse;
mod resources;
mod testing;
mod types;

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, LitStr, Result};
use wit_parser::{Function, Interface, InterfaceId, TypeDefKind, TypeId};

use self::parse::Declaration;
use self::resources::Handles;
pub(crate) use self::testing::test_bindings;
use self::types::{Places, Types, Unsupported, camel, snake};
use crate::fields::Listed;
use crate::surroundings::Surroundings;
use crate::wit::Wit;

pub(crate) fn bindings(input: TokenStream, surroundings: &Surroundings) -> TokenStream {
    let declaration = match syn::parse2::<Declaration>(input) {
        Ok(declaration) => declaration,
        Err(error) => return error.to_compile_error(),
    };
    expand(&declaration, surroundings).unwrap_or_else(|error| error.to_compile_error())
}

/// An interface that gets a module.
struct Module {
    id: InterfaceId,
    ident: Ident,
    /// Whether that name was given with `as`.
    renamed: bool,
    /// The application calls it.
    called: bool,
    /// The application serves it.
    served: bool,
}

fn expand(declaration: &Declaration, surroundings: &Surroundings) -> Result<TokenStream> {
    let shown = declaration.path.as_ref().map_or("wit".to_owned(), LitStr::value);
    let place = declaration.path.as_ref().map_or(Span::call_site(), LitStr::span);
    let wit = surroundings.find(&shown).and_then(|path| Wit::load(&path, &shown));
    let mut wit = wit.map_err(|error| Error::new(place, error))?;
    let mut modules = Vec::new();
    for listed in &declaration.interfaces {
        add(&mut modules, &wit, listed, true)?;
    }
    for listed in &declaration.serves {
        add(&mut modules, &wit, listed, false)?;
    }
    add_used(&mut modules, &wit);
    check_names(&modules, &wit, place)?;

    let ids: Vec<InterfaceId> = modules.iter().map(|module| module.id).collect();
    let world = wit.world("bindings", &ids, &[]).map_err(|error| Error::new(place, error))?;
    let package = wit.resolve.worlds[world].package.expect("a world that was just made is in a package");
    let package =
        wit_component::encode(&wit.resolve, package).map_err(|error| Error::new(place, format!("{error:#}")))?;
    let package = Literal::byte_string(&package);

    let places = Places {
        modules: modules.iter().map(|module| (module.id, module.ident.clone())).collect(),
        hosts: modules.iter().filter_map(|module| Some((module.id, own_names(&wit, module).host?))).collect(),
        called: modules.iter().filter_map(|module| Some((module.id, own_names(&wit, module).handle?))).collect(),
    };
    let types = Types { resolve: &wit.resolve, places: &places, handles: Handles::Held };
    // Named after a module, so that it is as unique as that is.
    let Some(first) = modules.first() else { return Ok(TokenStream::new()) };
    let encoded = format_ident!("__KOKORO_PACKAGE_{}", first.ident.to_string().to_uppercase());
    let modules =
        modules.iter().map(|module| module_tokens(&wit, &types, &encoded, module)).collect::<Result<Vec<_>>>()?;
    let files = wit.files.iter().map(|file| file.to_string_lossy().into_owned());
    Ok(quote! {
        #(#modules)*
        #[doc(hidden)]
        static #encoded: &[u8] = #package;
        // Builds anew when a WIT file changes.
        #(const _: &[u8] = ::core::include_bytes!(#files);)*
    })
}

fn add(modules: &mut Vec<Module>, wit: &Wit, listed: &Listed, called: bool) -> Result<()> {
    let error = |message: String| Error::new(listed.name.span(), message);
    let name = listed.name.value();
    let id = wit.interface(&name).map_err(|e| error(e.to_string()))?;
    let interface = &wit.resolve.interfaces[id];
    let is_resource = |(_, ty): &(&String, &TypeId)| matches!(wit.resolve.types[**ty].kind, TypeDefKind::Resource);
    let is_other_way = |module: &Module| module.id == id && (called && module.served || !called && module.called);
    if let Some((resource, _)) = interface.types.iter().find(is_resource)
        && modules.iter().any(is_other_way)
    {
        return Err(error(format!(
            "`{name}` defines the resource `{resource}`, which is one type where it is called and another where it is served\n  \
             help: serve it in a `bindings!` of its own"
        )));
    }
    match modules.iter_mut().find(|module| module.id == id) {
        Some(module) if called && module.called || !called && module.served => {
            return Err(error(format!("`{name}` is listed twice\n  help: remove one of them")));
        }
        Some(module) => {
            module.called |= called;
            module.served |= !called;
            match &listed.alias {
                Some(alias) if module.renamed && *alias != module.ident => {
                    return Err(Error::new(
                        alias.span(),
                        format!(
                            "`{name}` is one module, and that is called `{}` already\n  help: write `as {}`, or leave it out",
                            module.ident, module.ident
                        ),
                    ));
                }
                Some(alias) => {
                    module.ident = alias.clone();
                    module.renamed = true;
                }
                None => {}
            }
        }
        None => {
            let ident = match &listed.alias {
                Some(alias) => alias.clone(),
                None => snake(interface.name.as_deref().unwrap_or_default(), listed.name.span()),
            };
            modules.push(Module { id, ident, renamed: listed.alias.is_some(), called, served: !called });
        }
    }
    Ok(())
}

/// The interfaces from which those in `modules` use types get a module too.
fn add_used(modules: &mut Vec<Module>, wit: &Wit) {
    let mut next = 0;
    while next < modules.len() {
        for used in wit.resolve.interface_direct_deps(modules[next].id) {
            if modules.iter().all(|module| module.id != used) {
                let name = wit.resolve.interfaces[used].name.as_deref().unwrap_or_default();
                let ident = snake(name, Span::call_site());
                modules.push(Module { id: used, ident, renamed: false, called: false, served: false });
            }
        }
        next += 1;
    }
}

fn check_names(modules: &[Module], wit: &Wit, place: Span) -> Result<()> {
    for (i, module) in modules.iter().enumerate() {
        if let Some(other) = modules[..i].iter().find(|other| other.ident == module.ident) {
            let (one, two) = (wit.name(other.id), wit.name(module.id));
            let span = if module.called || module.served { module.ident.span() } else { place };
            return Err(Error::new(
                span,
                format!(
                    "`{one}` and `{two}` would both be the module `{}`\n  help: write `\"{two}\" as another_name`",
                    module.ident
                ),
            ));
        }
    }
    Ok(())
}

fn module_tokens(wit: &Wit, types: &Types<'_>, encoded: &Ident, module: &Module) -> Result<TokenStream> {
    let interface = &wit.resolve.interfaces[module.id];
    let docs = types::docs(&interface.docs, &format!("The interface `{}`.", wit.name(module.id)));
    let name = wit.name(module.id);
    let ident = &module.ident;
    let error = |unsupported: Unsupported| Error::new(ident.span(), format!("`{name}`: {unsupported}"));
    let definitions = interface
        .types
        .values()
        .map(|ty| types.definition(*ty, module.id).map_err(error))
        .collect::<Result<Vec<_>>>()?;
    let functions: Vec<&Function> = interface.functions.values().collect();
    if let Some(function) = functions.iter().find(|function| function.kind.is_async()) {
        return Err(error(Unsupported::Async(function.name.clone())));
    }
    let names = own_names(wit, module);
    let interface = Generated { id: module.id, name: &name, functions: &functions, package: encoded };
    let called = names.handle.map(|ident| called::handle(types, &interface, &ident).map_err(error)).transpose()?;
    let served = names.host.map(|ident| service(types, &interface, &ident).map_err(error)).transpose()?;
    Ok(quote! {
        #docs
        #[allow(missing_docs, unused_imports, dead_code, unreachable_pub, clippy::all)]
        pub mod #ident {
            use ::kokoro_host::rt::wasmtime;
            #(#definitions)*
            #called
            #served
        }
    })
}

/// What is ours in a module: the handle type of an interface that is called, the trait of one that is served.
struct OwnNames {
    handle: Option<Ident>,
    host: Option<Ident>,
}

fn own_names(wit: &Wit, module: &Module) -> OwnNames {
    let interface = &wit.resolve.interfaces[module.id];
    let mut names = Names::of(interface);
    let own = interface.name.as_deref().unwrap_or_default();
    let handle = module.called.then(|| names.give(&camel(own), "Handle"));
    let host = module.served.then(|| names.give("Host", "Trait"));
    OwnNames { handle, host }
}

/// The names of types and traits that a module has.
struct Names(HashSet<String>);

impl Names {
    /// Those that the interface itself brings.
    fn of(interface: &Interface) -> Self {
        Self(interface.types.keys().map(|name| camel(name)).collect())
    }

    /// A name for something of ours; one that is taken already gets `ending`.
    fn give(&mut self, name: &str, ending: &str) -> Ident {
        let mut name = name.to_owned();
        while !self.0.insert(name.clone()) {
            name.push_str(ending);
        }
        format_ident!("{name}")
    }
}

/// An interface of which something is generated.
struct Generated<'a> {
    id: InterfaceId,
    /// Its full name.
    name: &'a str,
    functions: &'a [&'a Function],
    /// The static item with its package.
    package: &'a Ident,
}

/// The trait of an interface that the application serves.
fn service(
    types: &Types<'_>,
    interface: &Generated<'_>,
    host: &Ident,
) -> core::result::Result<TokenStream, Unsupported> {
    let Generated { id, name, functions, package } = interface;
    let (passed, shared) = (Types { handles: Handles::Passed, ..*types }, Types { handles: Handles::Shared, ..*types });
    let (resources, mut definitions) = types.resources(*id);
    let mut methods = Vec::new();
    let mut names: Vec<(Ident, String)> = Vec::new();
    let mut foreign = Vec::new();
    // What is ours begins with `__` wherever it meets the names of parameters: no name in WIT does.
    for function in *functions {
        let wit_name = &function.name;
        let resources::Method { shown, name: method, receiver } = types.method(function);
        let method = snake(&method, Span::call_site());
        if let Some((_, other)) = names.iter().find(|(name, _)| *name == method) {
            return Err(Unsupported::SameMethod(other.clone(), shown, method));
        }
        names.push((method.clone(), shown.clone()));
        let docs = types::docs(&function.docs, &format!("Answers `{shown}`."));
        let mut idents: Vec<Ident> =
            function.params.iter().map(|param| snake(&param.name, Span::call_site())).collect();
        if let Some(receiver) = receiver.map(|name| snake(name, Span::call_site()))
            && !idents.contains(&receiver)
        {
            idents[0] = receiver;
        }
        let tys = |types: &Types<'_>| {
            let params = function.params.iter().map(|param| types.owned(&param.ty));
            params.collect::<core::result::Result<Vec<_>, _>>()
        };
        let (passed_tys, shared_tys) = (tys(&passed)?, tys(&shared)?);
        foreign.extend(types.foreign(function, *id));
        let arguments =
            function.params.iter().zip(&idents).map(|(param, ident)| types.shared(&param.ty, quote!(#ident)));
        let (output, results, answer) = match &function.result {
            Some(ty) => {
                let (output, result) = (shared.owned(ty)?, passed.owned(ty)?);
                let answer = types.passed(ty, quote!(__answer));
                (output, quote!((#result,)), quote!((#answer,)))
            }
            None => (quote!(()), quote!(()), quote!(__answer)),
        };
        let late = match &function.result {
            Some(ty) if types.fails_as_string(ty) => quote! {
                ::core::option::Option::Some(
                    |__message: ::std::string::String| (::core::result::Result::Err(__message),)
                )
            },
            _ => quote!(::core::option::Option::None),
        };
        let caller = match idents.iter().any(|ident| ident == "caller") {
            true => format_ident!("__caller"),
            false => format_ident!("caller"),
        };
        methods.push(quote! {
            #docs
            fn #method(
                &self,
                #caller: &::kokoro_host::Caller,
                #(#idents: #shared_tys),*
            ) -> impl ::core::future::Future<Output = #output> + ::core::marker::Send;
        });
        definitions.push(quote! {
            let __this = ::std::sync::Arc::clone(&__host);
            __functions.define::<(#(#passed_tys,)*), #results, _, _>(
                #wit_name,
                #late,
                move |__caller, __handles, (#(#idents,)*)| {
                    let __this = ::std::sync::Arc::clone(&__this);
                    async move {
                        #(let #idents = #arguments;)*
                        let __answer = #host::#method(&*__this, &__caller, #(#idents),*).await;
                        ::core::result::Result::<_, wasmtime::Error>::Ok(#answer)
                    }
                },
            )?;
        });
    }
    let about = format!("Implemented by the application to serve `{name}`. Each function gets to know who calls.");
    let serve = format!("What a Primary's builder takes to serve `{name}`.");
    foreign.sort_unstable();
    foreign.dedup();
    // What passes another interface's resources is served by the type that serves that one.
    let above = foreign.iter().map(|id| {
        let (module, host) = (&types.places.modules[id], &types.places.hosts[id]);
        quote!(super::#module::#host)
    });
    let values = [*id].into_iter().chain(foreign.iter().copied()).flat_map(|id| types.values(id));
    Ok(quote! {
        #[doc = #about]
        pub trait #host: #(#above +)* ::core::marker::Send + ::core::marker::Sync + 'static {
            #(#resources)*
            #(#methods)*
        }

        #[doc = #serve]
        pub fn serve<__T: #host>(host: __T) -> ::kokoro_host::Service {
            let __host = ::std::sync::Arc::new(host);
            ::kokoro_host::rt::service(#name, super::#package, move |__functions| {
                #(#definitions)*
                ::core::result::Result::Ok(())
            })
            #(#values)*
        }
    })
}

#[cfg(test)]
mod tests;
