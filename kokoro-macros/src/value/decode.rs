//! `#[derive(Decode)]`

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Error, Ident, Result, TypeReference};

use super::shape::{Case, Derived, Shape};

pub(super) fn expand(derived: &Derived) -> Result<TokenStream> {
    derived.types().try_for_each(owned)?;
    let krate = &derived.krate;
    let size = |ty| quote_spanned!(Spanned::span(ty)=> <#ty as #krate::Decode>::MIN_SIZE);
    let decode = |ty| quote_spanned!(Spanned::span(ty)=> <#ty as #krate::Decode>::decode(from)?);
    let (min_size, value) = match &derived.shape {
        Shape::Fields(fields) => {
            let sizes = fields.iter().map(|field| size(&field.ty));
            let values = fields.iter().map(|field| {
                let (member, value) = (&field.member, decode(&field.ty));
                quote!(#member: #value)
            });
            (quote!(0 #(+ #sizes)*), quote!(Self { #(#values),* }))
        }
        Shape::Cases(cases) => {
            let count = cases.len();
            let sizes = cases.iter().map(|case| case.payload.as_ref().map_or(quote!(0), size));
            let arms = (0u32..).zip(cases).map(|(index, Case { name, payload })| {
                // The decoder gives no index that is not less than the count.
                let index = if index as usize + 1 == count { quote!(_) } else { quote!(#index) };
                let payload = payload.as_ref().map(|ty| {
                    let value = decode(ty);
                    quote!((#value))
                });
                quote!(#index => Self::#name #payload)
            });
            (
                quote!(#krate::discriminant_size(#count) + #krate::rt::min(&[#(#sizes),*])),
                quote!(match from.discriminant(#count)? { #(#arms),* }),
            )
        }
    };
    let body = quote! {
        const MIN_SIZE: usize = #min_size;

        fn decode(from: &mut #krate::Decoder<'_>) -> ::core::result::Result<Self, #krate::DecodeError> {
            ::core::result::Result::Ok(#value)
        }
    };
    let implementation = derived.implement(&Ident::new("Decode", Span::call_site()), &body);
    if !derived.generics.params.is_empty() {
        return Ok(implementation);
    }
    // Lets the compiler find types that contain themselves through others here, and not first where one is decoded.
    let name = &derived.name;
    Ok(quote! {
        #implementation
        const _: usize = <#name as #krate::Decode>::MIN_SIZE;
    })
}

/// Finds references, which would have to borrow from the bytes.
#[derive(Default)]
struct References {
    found: Option<Error>,
}

impl VisitMut for References {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.found.get_or_insert_with(|| {
            Error::new(
                reference.span(),
                "a value that was decoded borrows nothing\n  \
                 help: write the type that owns it (`String`, `Vec<T>`, `Box<T>`), or `Cow` to encode borrowed values as well",
            )
        });
        visit_mut::visit_type_reference_mut(self, reference);
    }
}

fn owned(ty: &syn::Type) -> Result<()> {
    let mut references = References::default();
    references.visit_type_mut(&mut ty.clone());
    references.found.map_or(Ok(()), Err)
}
