//! What a type looks like that a derive stands on, and whether WIT has such types.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Generics, Member, Path, Result, Token, Type, Variant, parse_quote,
};

/// A type that has a form.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) name: Ident,
    pub(super) generics: Generics,
    pub(super) shape: Shape,
    /// The path of `kokoro-value`.
    pub(super) krate: Path,
}

/// A record, tuple, variant or enum.
#[derive(Debug)]
pub(super) enum Shape {
    Fields(Vec<Field>),
    Cases(Vec<Case>),
}

/// A field of a record or tuple.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) member: Member,
    pub(super) ty: Type,
}

/// A case of a variant or enum.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: Ident,
    /// The type of the one value in it.
    pub(super) payload: Option<Type>,
}

impl Derived {
    pub(super) fn new(input: DeriveInput) -> Result<Self> {
        let krate = krate(&input.attrs)?;
        let shape = match input.data {
            Data::Struct(data) => Shape::Fields(fields(&input.ident, data.fields)?),
            Data::Enum(data) => Shape::Cases(cases(&input.ident, data.variants)?),
            Data::Union(data) => {
                return Err(Error::new(
                    data.union_token.span(),
                    "WIT has no unions, which do not say what they hold\n  help: write an enum",
                ));
            }
        };
        let derived = Self { name: input.ident, generics: input.generics, shape, krate };
        derived.types().try_for_each(|ty| finite(&derived.name, ty))?;
        Ok(derived)
    }

    /// The types of all fields and payloads.
    pub(super) fn types(&self) -> impl Iterator<Item = &Type> {
        let (fields, cases) = match &self.shape {
            Shape::Fields(fields) => (fields.as_slice(), [].as_slice()),
            Shape::Cases(cases) => ([].as_slice(), cases.as_slice()),
        };
        let payloads = cases.iter().filter_map(|case| case.payload.as_ref());
        fields.iter().map(|field| &field.ty).chain(payloads)
    }

    /// An implementation of a trait of `kokoro-value`, which the type parameters have to implement, too.
    pub(super) fn implement(&self, name: &Ident, body: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        let mut generics = self.generics.clone();
        for parameter in generics.type_params_mut() {
            parameter.bounds.push(parse_quote!(#krate::#name));
        }
        let (before, arguments, conditions) = generics.split_for_impl();
        let ty = &self.name;
        quote! {
            #[automatically_derived]
            impl #before #krate::#name for #ty #arguments #conditions {
                #body
            }
        }
    }
}

/// What `#[value(crate = path)]` says.
fn krate(attributes: &[Attribute]) -> Result<Path> {
    let mut krate = parse_quote!(::kokoro_value);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("value")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                let unknown = meta.path.to_token_stream();
                return Err(meta.error(format!("`value` has no `{unknown}`\n  help: there is `crate = path`")));
            }
            krate = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        })?;
    }
    Ok(krate)
}

fn fields(name: &Ident, fields: Fields) -> Result<Vec<Field>> {
    if fields.is_empty() {
        return Err(Error::new(
            name.span(),
            format!(
                "`{name}` has no fields, and WIT has no empty records\n  \
                 help: where a function takes or gives nothing, write `()`"
            ),
        ));
    }
    let members = fields.members().collect::<Vec<_>>();
    Ok(members.into_iter().zip(fields).map(|(member, field)| Field { member, ty: field.ty }).collect())
}

fn cases(name: &Ident, variants: Punctuated<Variant, Token![,]>) -> Result<Vec<Case>> {
    if variants.is_empty() {
        return Err(Error::new(
            name.span(),
            format!("`{name}` has no cases, and so no values\n  help: write at least one"),
        ));
    }
    let mut errors = None;
    let mut cases = Vec::new();
    for variant in variants {
        match case(variant) {
            Ok(case) => cases.push(case),
            Err(error) => match &mut errors {
                None => errors = Some(error),
                Some(errors) => Error::combine(errors, error),
            },
        }
    }
    errors.map_or(Ok(cases), Err)
}

fn case(variant: Variant) -> Result<Case> {
    let name = variant.ident;
    if let Some((_, number)) = variant.discriminant {
        return Err(Error::new(
            number.span(),
            "cases are numbered from 0 in the order in which they are written\n  help: remove the number",
        ));
    }
    let span = variant.fields.span();
    let help = match &variant.fields {
        Fields::Unit => return Ok(Case { name, payload: None }),
        Fields::Named(_) => "write a struct for them",
        Fields::Unnamed(fields) => match fields.unnamed.len() {
            0 => "remove the parentheses",
            1 => {
                return Ok(Case { name, payload: variant.fields.into_iter().next().map(|field| field.ty) });
            }
            _ => "write a tuple, as in `Case((A, B))`, or a struct",
        },
    };
    Err(Error::new(span, format!("a case of a WIT variant has one payload without a name, or none\n  help: {help}")))
}

/// Finds the type in its own fields.
struct Inside<'a> {
    name: &'a Ident,
    found: Option<Error>,
}

impl VisitMut for Inside<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        if path.is_ident("Self") || path.segments.len() == 1 && path.segments[0].ident == *self.name {
            let name = self.name;
            self.found.get_or_insert_with(|| {
                Error::new(
                    path.span(),
                    format!(
                        "`{name}` contains itself, which no type of WIT can\n  \
                         help: put all of them into one list, and let them name each other by their places in it"
                    ),
                )
            });
        }
        visit_mut::visit_path_mut(self, path);
    }
}

fn finite(name: &Ident, ty: &Type) -> Result<()> {
    let mut inside = Inside { name, found: None };
    inside.visit_type_mut(&mut ty.clone());
    inside.found.map_or(Ok(()), Err)
}
