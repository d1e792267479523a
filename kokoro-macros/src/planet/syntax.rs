//! Small changes to wit-bindgen's output for a Planet.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parse;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMethodCall, ExprPath, ForeignItem, Item, ItemForeignMod, LitStr, Stmt, parse_quote};

/// Replaces an identifier wherever it occurs.
pub(super) fn rename<T: ToTokens + Parse>(node: &mut T, from: &str, to: &Ident) {
    fn replace(tokens: TokenStream, from: &str, to: &Ident) -> TokenStream {
        let replaced = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(ident) if ident == from => TokenTree::Ident(to.clone()),
            TokenTree::Group(group) => {
                let mut new = proc_macro2::Group::new(group.delimiter(), replace(group.stream(), from, to));
                new.set_span(group.span());
                TokenTree::Group(new)
            }
            other => other,
        });
        replaced.collect()
    }
    let replaced = replace(node.to_token_stream(), from, to);
    *node = syn::parse2(replaced).expect("an identifier in place of another changes no syntax");
}

/// Takes wit-bindgen's macros that export something out of a module, and gives what they would expand to for the type
/// `exported`, where `path` leads to the module.
///
/// Expanded here, the code counts as that of another crate, and what the author's crate forbids does not concern it.
pub(super) fn take_exports(items: &mut Vec<Item>, path: &TokenStream, exported: &TokenStream) -> TokenStream {
    let mut code = TokenStream::new();
    items.retain(|item| match item {
        Item::Macro(item) => {
            let Some(name) = &item.ident else { return true };
            let is_export = name.to_string().starts_with("__export_");
            if is_export {
                let body = item.mac.tokens.clone().into_iter().filter_map(|token| match token {
                    TokenTree::Group(group) => Some(group.stream()),
                    _ => None,
                });
                code.extend(fill(body.last().unwrap_or_default(), path, exported));
            }
            !is_export
        }
        Item::Use(item) => !item.to_token_stream().to_string().contains("__export_"),
        _ => true,
    });
    code
}

/// Puts the two arguments of wit-bindgen's macros (`$ty` and `$($path_to_types)*`) into the body of one.
fn fill(body: TokenStream, path: &TokenStream, exported: &TokenStream) -> TokenStream {
    let mut filled = TokenStream::new();
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next() {
                Some(TokenTree::Group(_)) => {
                    // The `*` of the repetition.
                    tokens.next();
                    filled.extend(path.clone());
                }
                _ => filled.extend(exported.clone()),
            },
            TokenTree::Group(group) => {
                let inside = fill(group.stream(), path, exported);
                filled.extend([TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inside))]);
            }
            other => filled.extend([other]),
        }
    }
    filled
}

/// Makes calls of imports panic with a sentence in native builds, where nobody answers them. (wit-bindgen's own stand-in
/// aborts the process.)
#[derive(Debug)]
pub(super) struct SpeakNatively;

impl VisitMut for SpeakNatively {
    fn visit_block_mut(&mut self, block: &mut Block) {
        let mut import = None;
        for statement in &mut block.stmts {
            match statement {
                Stmt::Item(Item::ForeignMod(declaration)) => import = import_name(declaration),
                Stmt::Item(Item::Fn(function)) if function.sig.abi.is_some() => {
                    let Some(import) = &import else { continue };
                    function.sig.abi = Some(parse_quote!(extern "C-unwind"));
                    *function.block = parse_quote!({ ::kokoro_guest::rt::outside(#import) });
                }
                _ => {}
            }
        }
        visit_mut::visit_block_mut(self, block);
    }
}

/// The name of the one import in a block, as in `site:content/outline@0.1.0 headings`.
fn import_name(declaration: &ItemForeignMod) -> Option<String> {
    let link = declaration.attrs.iter().find(|attribute| attribute.path().is_ident("link"))?;
    let mut interface = None;
    let parsed = link.parse_nested_meta(|meta| {
        interface = Some(meta.value()?.parse::<LitStr>()?.value());
        Ok(())
    });
    let Some(ForeignItem::Fn(function)) = declaration.items.first() else { return None };
    let name = function.attrs.iter().find(|attribute| attribute.path().is_ident("link_name"))?;
    let syn::Meta::NameValue(name) = &name.meta else { return None };
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &name.value else { return None };
    parsed.ok()?;
    Some(format!("{} {}", interface?, name.value()))
}

/// Renames the calls of a resource's generated functions, so that the short names are free for the author's.
#[derive(Debug)]
pub(super) struct Prefixed<'a> {
    /// The names of the handle types of exported resources.
    pub(super) resources: &'a [Ident],
}

impl Prefixed<'_> {
    /// What wit-bindgen's function is called from now on.
    pub(super) fn name(ident: &Ident) -> Ident {
        Ident::new(&format!("__{ident}"), Span::call_site())
    }
}

impl VisitMut for Prefixed<'_> {
    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        let mut segments = path.path.segments.iter_mut();
        if let (Some(first), Some(second), None) = (segments.next(), segments.next(), segments.next())
            && self.resources.contains(&first.ident)
            && second.ident == "new"
        {
            second.ident = Self::name(&second.ident);
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let Expr::Call(receiver) = &*call.receiver else { return };
        let Expr::Path(receiver) = &*receiver.func else { return };
        let is_lift = receiver.path.segments.last().is_some_and(|segment| segment.ident == "lift");
        if call.method == "get" && is_lift {
            call.method = Self::name(&call.method);
        }
    }
}
