//! The types of WIT, described at run time.

mod check;

pub use self::check::check;

/// A type of WIT whose values have the self-contained form.
///
/// Structural: names of types, fields, cases and labels are no part of the form, so they are not in it. What a function takes is
/// the [tuple](Self::Tuple) of its parameters' types; what a function without a result gives is the empty tuple.
/// Handles of resources, `future`, `stream` and `error-context` have no form.
///
/// ```
/// use kokoro_value::Type;
///
/// // list<record { name: string, at: option<tuple<f64, f64>> }>
/// let ty = Type::list(Type::Record(vec![
///     Type::String,
///     Type::option(Type::Tuple(vec![Type::F64, Type::F64])),
/// ]));
/// let places: Vec<(&str, Option<(f64, f64)>)> = vec![("here", None)];
/// assert!(kokoro_value::check(&kokoro_value::to_bytes(&places), &ty).is_ok());
/// assert!(kokoro_value::check(&[1, 2, 3], &ty).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `s8`
    S8,
    /// `u16`
    U16,
    /// `s16`
    S16,
    /// `u32`
    U32,
    /// `s32`
    S32,
    /// `u64`
    U64,
    /// `s64`
    S64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// `list<T>`
    List(Box<Type>),
    /// `list<T, n>`: a list of fixed length.
    FixedList(Box<Type>, usize),
    /// `map<K, V>`
    Map(Box<Type>, Box<Type>),
    /// `tuple<A, B, ..>`, or the parameters of a function.
    Tuple(Vec<Type>),
    /// `record`, by the types of its fields in order.
    Record(Vec<Type>),
    /// `variant`, by its cases in order: the type of the payload, for those that have one.
    Variant(Vec<Option<Type>>),
    /// `enum`, by the number of its cases.
    Enum(usize),
    /// `option<T>`
    Option(Box<Type>),
    /// `result<T, E>`, either of which may be absent.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// `flags`, by the number of its labels.
    Flags(usize),
}

impl Type {
    /// `list<element>`
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    /// `list<element, length>`
    pub fn fixed_list(element: Self, length: usize) -> Self {
        Self::FixedList(Box::new(element), length)
    }

    /// `map<key, value>`
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    /// `option<some>`
    pub fn option(some: Self) -> Self {
        Self::Option(Box::new(some))
    }

    /// `result<ok, err>`, with `None` for `_`.
    pub fn result(ok: impl Into<Option<Self>>, err: impl Into<Option<Self>>) -> Self {
        Self::Result(ok.into().map(Box::new), err.into().map(Box::new))
    }
}
