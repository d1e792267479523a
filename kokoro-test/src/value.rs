//! Rust types and the values of WIT: what closures that answer for a fake take and return.

use kokoro_host::Val;
use kokoro_host::types::{Function, Type};

/// A Rust type that values of one WIT type have.
///
/// It is there for Rust's own types, and for the records, variants, enums and flags that [`bindings!`](crate::bindings) makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of WIT's values",
    note = "there are: `bool`, numbers, `char`, `String`, `Vec`, `Option`, `Result`, tuples, and the types that `kokoro_test::bindings!` makes",
    note = "for what has no type, take and give WAVE text: `Fake::answers_wave`"
)]
pub trait Typed {
    /// What messages call it: `list<u8>`.
    fn wit() -> String;

    /// Whether values of this type of WIT are values of this Rust type.
    fn is(ty: &Type) -> bool;

    /// The same for what may be missing: a function's result, the payload of `ok`. Only `()` is missing.
    fn fits(ty: Option<&Type>) -> bool {
        ty.is_some_and(Self::is)
    }
}

/// A Rust type that can be made of a value: parameters of closures.
pub trait FromValue: Typed + Sized {
    /// The value, if it is one of this type.
    fn from_val(val: &Val) -> Option<Self>;

    /// The same for what may be missing.
    fn from_payload(val: Option<&Val>) -> Option<Self> {
        Self::from_val(val?)
    }
}

/// A Rust type that can be made a value: what closures return, and expected arguments.
pub trait IntoValue: Typed {
    /// The value.
    fn into_val(self) -> Val;

    /// The same for what may be missing.
    fn into_payload(self) -> Option<Val>
    where
        Self: Sized,
    {
        Some(self.into_val())
    }
}

macro_rules! scalars {
    ($($rust:ty, $case:ident, $wit:literal;)*) => {$(
        impl Typed for $rust {
            fn wit() -> String {
                $wit.to_owned()
            }
            fn is(ty: &Type) -> bool {
                matches!(ty, Type::$case)
            }
        }
        impl FromValue for $rust {
            fn from_val(val: &Val) -> Option<Self> {
                match val {
                    scalars!(@val $case value) => Some(value.clone()),
                    _ => None,
                }
            }
        }
        impl IntoValue for $rust {
            fn into_val(self) -> Val {
                scalars!(@make $case self)
            }
        }
    )*};
    (@val F32 $value:ident) => { Val::Float32($value) };
    (@val F64 $value:ident) => { Val::Float64($value) };
    (@val $case:ident $value:ident) => { Val::$case($value) };
    (@make F32 $value:expr) => { Val::Float32($value) };
    (@make F64 $value:expr) => { Val::Float64($value) };
    (@make $case:ident $value:expr) => { Val::$case($value) };
}

scalars! {
    bool, Bool, "bool";
    u8, U8, "u8";
    u16, U16, "u16";
    u32, U32, "u32";
    u64, U64, "u64";
    i8, S8, "s8";
    i16, S16, "s16";
    i32, S32, "s32";
    i64, S64, "s64";
    f32, F32, "f32";
    f64, F64, "f64";
    char, Char, "char";
    String, String, "string";
}

impl Typed for &str {
    fn wit() -> String {
        String::wit()
    }

    fn is(ty: &Type) -> bool {
        String::is(ty)
    }
}

impl IntoValue for &str {
    fn into_val(self) -> Val {
        Val::String(self.to_owned())
    }
}

/// What is not there: the result of a function without one, the payload of `result<_, string>`.
impl Typed for () {
    fn wit() -> String {
        "_".to_owned()
    }

    fn is(_: &Type) -> bool {
        false
    }

    fn fits(ty: Option<&Type>) -> bool {
        ty.is_none()
    }
}

impl FromValue for () {
    fn from_val(_: &Val) -> Option<Self> {
        None
    }

    fn from_payload(val: Option<&Val>) -> Option<Self> {
        val.is_none().then_some(())
    }
}

impl IntoValue for () {
    fn into_val(self) -> Val {
        Val::Tuple(Vec::new())
    }

    fn into_payload(self) -> Option<Val> {
        None
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn wit() -> String {
        format!("list<{}>", T::wit())
    }

    fn is(ty: &Type) -> bool {
        matches!(ty, Type::List(element) if T::is(element))
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_val(val: &Val) -> Option<Self> {
        match val {
            Val::List(values) => values.iter().map(T::from_val).collect(),
            _ => None,
        }
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_val(self) -> Val {
        Val::List(self.into_iter().map(T::into_val).collect())
    }
}

impl<T: Typed> Typed for Option<T> {
    fn wit() -> String {
        format!("option<{}>", T::wit())
    }

    fn is(ty: &Type) -> bool {
        matches!(ty, Type::Option(inner) if T::is(inner))
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_val(val: &Val) -> Option<Self> {
        match val {
            Val::Option(None) => Some(None),
            Val::Option(Some(value)) => T::from_val(value).map(Some),
            _ => None,
        }
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_val(self) -> Val {
        Val::Option(self.map(|value| Box::new(value.into_val())))
    }
}

impl<T: Typed, E: Typed> Typed for Result<T, E> {
    fn wit() -> String {
        match (T::wit().as_str(), E::wit().as_str()) {
            ("_", "_") => "result".to_owned(),
            (ok, "_") => format!("result<{ok}>"),
            (ok, err) => format!("result<{ok}, {err}>"),
        }
    }

    fn is(ty: &Type) -> bool {
        matches!(ty, Type::Result { ok, err } if T::fits(ok.as_deref()) && E::fits(err.as_deref()))
    }
}

impl<T: FromValue, E: FromValue> FromValue for Result<T, E> {
    fn from_val(val: &Val) -> Option<Self> {
        match val {
            Val::Result(Ok(value)) => T::from_payload(value.as_deref()).map(Ok),
            Val::Result(Err(value)) => E::from_payload(value.as_deref()).map(Err),
            _ => None,
        }
    }
}

impl<T: IntoValue, E: IntoValue> IntoValue for Result<T, E> {
    fn into_val(self) -> Val {
        Val::Result(match self {
            Ok(value) => Ok(value.into_payload().map(Box::new)),
            Err(value) => Err(value.into_payload().map(Box::new)),
        })
    }
}

/// The arguments of a call: a tuple, or an array if all are of one type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of arguments",
    note = "write a tuple, `(\"ada\", 3)`, or an array if all are of one type, `[\"ada\"]`"
)]
pub trait Arguments {
    /// Whether they fit a function's parameters.
    fn fit(function: &Function) -> bool;

    /// What messages call them: `string, u32`.
    fn wit() -> String;

    /// The values.
    fn into_vals(self) -> Vec<Val>;
}

/// A tuple of what a fake was asked with.
pub trait FromArguments: Sized {
    /// The arguments, if they are of these types.
    fn from_vals(vals: &[Val]) -> Option<Self>;

    /// What messages call them.
    fn wit() -> String;
}

impl<T: IntoValue, const N: usize> Arguments for [T; N] {
    fn fit(function: &Function) -> bool {
        function.params.len() == N && function.params.iter().all(|(_, ty)| T::is(ty))
    }

    fn wit() -> String {
        vec![T::wit(); N].join(", ")
    }

    fn into_vals(self) -> Vec<Val> {
        self.into_iter().map(T::into_val).collect()
    }
}

impl Arguments for () {
    fn fit(function: &Function) -> bool {
        function.params.is_empty()
    }

    fn wit() -> String {
        String::new()
    }

    fn into_vals(self) -> Vec<Val> {
        Vec::new()
    }
}

/// A closure that answers for a function: its parameters can be made of values, its result can be made one.
///
/// `M` is the closure's own signature, which the compiler finds.
#[diagnostic::on_unimplemented(
    message = "this cannot answer for a function of WIT",
    note = "it takes a closure with up to six parameters, whose types are written down: `|word: String| word.len() as u32`",
    note = "its parameters are `FromValue`, its result is `IntoValue`"
)]
pub trait Answer<M>: Send + 'static {
    /// Its type as WIT writes it.
    fn wit() -> String;

    /// Whether it can answer for this function.
    fn fits(function: &Function) -> bool;

    /// The answer; none if these are other arguments.
    fn answer(&mut self, arguments: &[Val]) -> Option<Option<Val>>;
}

macro_rules! tuples {
    ($($name:ident $index:tt),*) => {
        #[allow(clippy::allow_attributes, unused, non_snake_case, reason = "the closure without parameters uses less")]
        impl<Closure, R, $($name),*> Answer<fn($($name),*) -> R> for Closure
        where
            Closure: FnMut($($name),*) -> R + Send + 'static,
            R: IntoValue,
            $($name: FromValue,)*
        {
            fn wit() -> String {
                let params: Vec<String> = vec![$($name::wit()),*];
                match R::wit().as_str() {
                    "_" => format!("func({})", params.join(", ")),
                    result => format!("func({}) -> {result}", params.join(", ")),
                }
            }

            fn fits(function: &Function) -> bool {
                let mut params = function.params.iter();
                $(if !params.next().is_some_and(|(_, ty)| $name::is(ty)) {
                    return false;
                })*
                params.next().is_none() && R::fits(function.result.as_ref())
            }

            fn answer(&mut self, arguments: &[Val]) -> Option<Option<Val>> {
                let mut arguments = arguments.iter();
                $(let $name = $name::from_val(arguments.next()?)?;)*
                Some(self($($name),*).into_payload())
            }
        }
        tuples!(@tuple $($name $index),*);
    };
    (@tuple) => {
        impl FromArguments for () {
            fn from_vals(vals: &[Val]) -> Option<Self> {
                vals.is_empty().then_some(())
            }

            fn wit() -> String {
                String::new()
            }
        }
    };
    (@tuple $($name:ident $index:tt),+) => {
        impl<$($name: Typed),+> Typed for ($($name,)+) {
            fn wit() -> String {
                format!("tuple<{}>", [$($name::wit()),+].join(", "))
            }

            fn is(ty: &Type) -> bool {
                let Type::Tuple(types) = ty else { return false };
                let mut types = types.iter();
                $(types.next().is_some_and($name::is) &&)+ types.next().is_none()
            }
        }

        impl<$($name: FromValue),+> FromValue for ($($name,)+) {
            fn from_val(val: &Val) -> Option<Self> {
                let Val::Tuple(values) = val else { return None };
                Some(($($name::from_val(values.get($index)?)?,)+))
            }
        }

        impl<$($name: IntoValue),+> IntoValue for ($($name,)+) {
            fn into_val(self) -> Val {
                Val::Tuple(vec![$(self.$index.into_val()),+])
            }
        }

        impl<$($name: IntoValue),+> Arguments for ($($name,)+) {
            fn fit(function: &Function) -> bool {
                let mut params = function.params.iter();
                $(params.next().is_some_and(|(_, ty)| $name::is(ty)) &&)+ params.next().is_none()
            }

            fn wit() -> String {
                [$($name::wit()),+].join(", ")
            }

            fn into_vals(self) -> Vec<Val> {
                vec![$(self.$index.into_val()),+]
            }
        }

        impl<$($name: FromValue),+> FromArguments for ($($name,)+) {
            fn from_vals(vals: &[Val]) -> Option<Self> {
                let mut vals = vals.iter();
                let arguments = ($($name::from_val(vals.next()?)?,)+);
                vals.next().is_none().then_some(arguments)
            }

            fn wit() -> String {
                [$($name::wit()),+].join(", ")
            }
        }
    };
}

tuples!();
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
