//! `#[derive(Encode)]`

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Result};

use super::shape::{Case, Derived, Shape};

pub(super) fn expand(derived: &Derived) -> Result<TokenStream> {
    let krate = &derived.krate;
    let body = match &derived.shape {
        Shape::Fields(fields) => {
            let fields = fields.iter().map(|field| {
                let (member, ty) = (&field.member, &field.ty);
                quote_spanned!(ty.span()=> <#ty as #krate::Encode>::encode(&self.#member, to);)
            });
            quote!(#(#fields)*)
        }
        Shape::Cases(cases) => {
            let count = cases.len();
            let arms = (0u32..).zip(cases).map(|(index, Case { name, payload })| match payload {
                None => quote!(Self::#name => to.discriminant(#index, #count),),
                Some(ty) => {
                    let encode = quote_spanned!(ty.span()=> <#ty as #krate::Encode>::encode(payload, to));
                    quote! {
                        Self::#name(payload) => {
                            to.discriminant(#index, #count);
                            #encode
                        }
                    }
                }
            });
            quote!(match self { #(#arms)* })
        }
    };
    let body = quote! {
        fn encode(&self, to: &mut #krate::Encoder) {
            #body
        }
    };
    Ok(derived.implement(&Ident::new("Encode", Span::call_site()), &body))
}
