//! Which Rust types stand for which types of WIT.

mod lists;
mod maps;
mod products;
mod scalars;
mod sums;
mod wrapped;

pub(crate) use self::scalars::bools;
