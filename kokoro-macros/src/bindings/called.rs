//! Interfaces that the application calls: the typed handle to whoever provides one, and the resources that it gives out.
//!
//! What Wasmtime can pass by itself it does. Functions that pass handles are called with the self-contained form of their values,
//! in which the handles are places in a table: the types that they take and give can be written and read in it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Function, FunctionKind, Handle, InterfaceId, Type, TypeDefKind, TypeId};

use super::Generated;
use super::resources::Method;
use super::types::{self, Types, Unsupported, snake};
use crate::bindgen::{holds_handle, walk};

/// The typed handle to an interface.
pub(super) fn handle(types: &Types<'_>, interface: &Generated<'_>, handle: &Ident) -> Result<TokenStream, Unsupported> {
    let Generated { name, functions, package, .. } = interface;
    let mut methods = Vec::new();
    let mut names: Vec<(Ident, String)> = Vec::new();
    // Methods of resources are methods of these.
    for function in functions.iter().filter(|function| !matches!(function.kind, FunctionKind::Method(_))) {
        let Method { shown, name, .. } = types.method(function);
        let method = method_name(&name);
        if let Some((_, other)) = names.iter().find(|(name, _)| *name == method) {
            return Err(Unsupported::SameMethod(other.clone(), shown, method));
        }
        methods.push(match passes_handles(types, function) {
            true => with_handles(types, function, (&method, &shown), None)?,
            false => plain(types, function, (&method, &shown))?,
        });
        names.push((method, shown));
    }
    let about = format!("A handle to whoever provides `{name}`.");
    let terms = terms();
    Ok(quote! {
        #[doc = #about]
        #[derive(Debug, Clone)]
        pub struct #handle(::kokoro_host::Handle);

        impl #handle {
            /// The name of the Planet (plugin) that answers at present; none if nobody does.
            pub fn planet(&self) -> ::core::option::Option<::std::string::String> {
                self.0.planet()
            }

            #terms
            #(#methods)*
        }

        impl ::kokoro_host::Interface for #handle {
            const NAME: &'static str = #name;

            fn description() -> &'static ::kokoro_host::rt::Description {
                static DESCRIPTION: ::std::sync::OnceLock<::kokoro_host::rt::Description> = ::std::sync::OnceLock::new();
                DESCRIPTION.get_or_init(|| ::kokoro_host::rt::Description::of(#name, super::#package))
            }

            fn from_handle(handle: ::kokoro_host::Handle) -> Self {
                Self(handle)
            }
        }
    })
}

/// What is said about calls, alike for handles of interfaces and of resources.
fn terms() -> TokenStream {
    quote! {
        /// The same handle, whose calls may take no longer than `time` each.
        #[must_use]
        pub fn within(&self, time: ::core::time::Duration) -> Self {
            Self(self.0.clone().within(time))
        }

        /// The same handle, to whose calls `value` is attached: functions that the application serves see it, however many
        /// Planets (plugins) lie between (`Caller::attached`).
        #[must_use]
        pub fn with<__T: ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>(&self, value: __T) -> Self {
            Self(self.0.clone().with(value))
        }

        /// The same handle, whose calls end once `token` is cancelled, with a grace period for those that are executed
        /// (`Limits::grace`).
        #[must_use]
        pub fn cancelled_by(&self, token: &::kokoro_host::CancellationToken) -> Self {
            Self(self.0.clone().cancelled_by(token))
        }
    }
}

/// What a function of this name is called as a method.
fn method_name(wit_name: &str) -> Ident {
    match wit_name {
        // Each handle has these already.
        "planet" | "with" | "within" => format_ident!("{wit_name}_"),
        "cancelled-by" => format_ident!("cancelled_by_"),
        wit_name => snake(wit_name, Span::call_site()),
    }
}

/// A function whose values Wasmtime passes.
fn plain(types: &Types<'_>, function: &Function, (method, shown): (&Ident, &str)) -> Result<TokenStream, Unsupported> {
    let wit_name = &function.name;
    let docs = types::docs(&function.docs, &format!("Calls `{shown}`."));
    let mut params = Vec::new();
    let mut values = Vec::new();
    for param in &function.params {
        let ident = snake(&param.name, Span::call_site());
        let (ty, value) = types.borrowed(&param.ty, &ident)?;
        params.push(quote!(#ident: #ty));
        values.push(value);
    }
    let (result, answer) = match &function.result {
        Some(ty) => {
            let ty = types.owned(ty)?;
            (quote!(#ty), quote!(self.0.call::<_, (#ty,)>(#wit_name, (#(#values,)*)).await.map(|(answer,)| answer)))
        }
        None => (quote!(()), quote!(self.0.call::<_, ()>(#wit_name, (#(#values,)*)).await)),
    };
    Ok(quote! {
        #docs
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn #method(&self, #(#params),*) -> ::core::result::Result<#result, ::kokoro_host::Error> {
            #answer
        }
    })
}

/// A function that passes handles: of the interface, or of a resource of the interface to which there is the handle `of`.
fn with_handles(
    types: &Types<'_>,
    function: &Function,
    (method, shown): (&Ident, &str),
    of: Option<&Ident>,
) -> Result<TokenStream, Unsupported> {
    let wit_name = &function.name;
    let docs = types::docs(&function.docs, &format!("Calls `{shown}`."));
    let mut params = Vec::new();
    let mut writes = Vec::new();
    let mut declared = function.params.iter();
    if of.is_some() {
        declared.next();
        writes.push(quote!(::kokoro_host::rt::lend(self, __to);));
    }
    for param in declared {
        let ident = snake(&param.name, Span::call_site());
        let (ty, write) = types.given(&param.ty, &ident)?;
        params.push(quote!(#ident: #ty));
        writes.push(write);
    }
    let result = function.result.as_ref().map_or(Ok(quote!(())), |ty| types.owned(ty))?;
    let answer = match of {
        None => quote!(self.0.call_with_handles::<#result>(#wit_name, __arguments)),
        Some(of) => quote! {
            self.0.call::<#result>(<#of as ::kokoro_host::Interface>::description(), #wit_name, __arguments)
        },
    };
    Ok(quote! {
        #docs
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn #method(&self, #(#params),*) -> ::core::result::Result<#result, ::kokoro_host::Error> {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| { #(#writes)* });
            #answer.await
        }
    })
}

fn passes_handles(types: &Types<'_>, function: &Function) -> bool {
    function.parameter_and_result_types().any(|ty| holds_handle(types.resolve, ty))
}

impl Types<'_> {
    /// The type of a resource of the interface `home`, to which there is the handle `handle`.
    pub(super) fn held_resource(
        &self,
        id: TypeId,
        home: InterfaceId,
        handle: &Ident,
    ) -> Result<TokenStream, Unsupported> {
        let resource = self.resource(id);
        let ident = resource.associated();
        let docs = types::docs(&self.resolve.types[id].docs, &format!("A handle of `{}`.", resource.name));
        let is_method = |function: &&Function| matches!(function.kind, FunctionKind::Method(of) if of == id);
        let functions = self.resolve.interfaces[home].functions.values().filter(is_method);
        let methods = functions.map(|function| {
            let shown = self.method(function).shown;
            with_handles(self, function, (&method_name(function.item_name()), &shown), Some(handle))
        });
        let methods = methods.collect::<Result<Vec<_>, _>>()?;
        let terms = terms();
        Ok(quote! {
            #docs
            ///
            /// It belongs to one instance of a Planet (plugin), and answers with an error once that has ended. Clones are handles of the
            /// same; with the last one it is dropped at its Planet.
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct #ident(::kokoro_host::rt::Held);

            impl #ident {
                /// The name of the Planet (plugin) that it belongs to.
                pub fn planet(&self) -> ::std::string::String {
                    self.0.planet()
                }

                #terms
                #(#methods)*
            }

            impl ::kokoro_host::rt::IsHeld for #ident {
                fn of(held: ::kokoro_host::rt::Held) -> Self {
                    Self(held)
                }

                fn held(&self) -> &::kokoro_host::rt::Held {
                    &self.0
                }
            }

            impl ::kokoro_host::rt::kokoro_value::Encode for #ident {
                fn encode(&self, to: &mut ::kokoro_host::rt::kokoro_value::Encoder) {
                    ::kokoro_host::rt::give(self, to)
                }
            }

            impl ::kokoro_host::rt::kokoro_value::Decode for #ident {
                const MIN_SIZE: usize = 4;

                fn decode(
                    from: &mut ::kokoro_host::rt::kokoro_value::Decoder<'_>,
                ) -> ::core::result::Result<Self, ::kokoro_host::rt::kokoro_value::DecodeError> {
                    ::kokoro_host::rt::receive(from)
                }
            }
        })
    }

    /// Whether a named type is one of the application's in which its handles are.
    pub(super) fn is_held(&self, id: TypeId) -> bool {
        let is_defined = matches!(self.resolve.types[id].kind, TypeDefKind::Record(_) | TypeDefKind::Variant(_));
        matches!(self.handles, super::Handles::Held) && is_defined
    }

    /// The type of a parameter of a function that passes handles, and what writes it. What is given away is taken.
    fn given(&self, ty: &Type, ident: &Ident) -> Result<(TokenStream, TokenStream), Unsupported> {
        let write = quote!(::kokoro_host::rt::kokoro_value::Encode::encode(&#ident, __to););
        if let Type::Id(id) = self.resolved(ty)
            && let TypeDefKind::Handle(Handle::Borrow(resource)) = &self.resolve.types[id].kind
        {
            let lent = self.handle(&Handle::Own(*resource))?;
            return Ok((quote!(&#lent), quote!(::kokoro_host::rt::lend(#ident, __to);)));
        }
        let ty = match self.passes(ty, |handle| matches!(handle, Handle::Own(_))) {
            true => self.owned(ty)?,
            false => self.borrowed(ty, ident)?.0,
        };
        Ok((ty, write))
    }

    /// Whether handles of a kind are in values of a type.
    fn passes(&self, ty: &Type, kind: impl Fn(&Handle) -> bool) -> bool {
        let mut found = false;
        walk(self.resolve, *ty, &mut |id| {
            found |= matches!(&self.resolve.types[id].kind, TypeDefKind::Handle(handle) if kind(handle));
        });
        found
    }

    /// Whether the application calls functions that pass handles. Then all types have the self-contained form.
    fn have_form(&self) -> bool {
        let interfaces = self.places.called.keys().map(|id| &self.resolve.interfaces[*id]);
        interfaces.flat_map(|interface| interface.functions.values()).any(|function| passes_handles(self, function))
    }

    /// What gives a record, variant or enum the self-contained form, if anybody needs it.
    pub(super) fn form(&self, id: TypeId) -> TokenStream {
        if !self.have_form() {
            return quote!();
        }
        // What is lent is not answered.
        let lends = self.passes(&Type::Id(id), |handle| matches!(handle, Handle::Borrow(_)));
        let decode = (!lends).then(|| quote!(, ::kokoro_host::rt::kokoro_value::Decode));
        quote! {
            #[derive(::kokoro_host::rt::kokoro_value::Encode #decode)]
            #[value(crate = ::kokoro_host::rt::kokoro_value)]
        }
    }

    /// The same for flags.
    pub(super) fn form_of_flags(&self, name: &Ident, labels: &[Ident]) -> TokenStream {
        if !self.have_form() {
            return quote!();
        }
        let count = labels.len();
        let (bytes, bits) = (0..count).map(|index| (index / 8, 1u8 << (index % 8))).unzip::<_, _, Vec<_>, Vec<_>>();
        quote! {
            impl ::kokoro_host::rt::kokoro_value::Encode for #name {
                fn encode(&self, to: &mut ::kokoro_host::rt::kokoro_value::Encoder) {
                    let mut bits = [0u8; ::kokoro_host::rt::kokoro_value::flags_size(#count)];
                    #(if self.contains(Self::#labels) { bits[#bytes] |= #bits; })*
                    to.flags(&bits, #count);
                }
            }

            impl ::kokoro_host::rt::kokoro_value::Decode for #name {
                const MIN_SIZE: usize = ::kokoro_host::rt::kokoro_value::flags_size(#count);

                fn decode(
                    from: &mut ::kokoro_host::rt::kokoro_value::Decoder<'_>,
                ) -> ::core::result::Result<Self, ::kokoro_host::rt::kokoro_value::DecodeError> {
                    let bits = from.flags(#count)?;
                    let mut flags = Self::empty();
                    #(if bits[#bytes] & #bits != 0 { flags |= Self::#labels; })*
                    ::core::result::Result::Ok(flags)
                }
            }
        }
    }
}
