//! Flags: sets of labels.

/// Makes a type of a WIT `flags`: a set of its labels, in the order of the WIT.
///
/// ```
/// kokoro_value::flags! {
///     /// What may be done with a file.
///     pub struct Permissions {
///         /// Look into it.
///         READ,
///         WRITE,
///         EXECUTE,
///     }
/// }
///
/// let mut permissions = Permissions::READ | Permissions::EXECUTE;
/// assert_eq!(kokoro_value::to_bytes(&permissions), [0b101]);
/// assert_eq!(format!("{permissions:?}"), "Permissions(READ | EXECUTE)");
///
/// permissions.remove(Permissions::READ);
/// assert!(!permissions.contains(Permissions::READ));
/// assert_eq!(kokoro_value::from_bytes::<Permissions>(&[0b100])?, permissions);
///
/// // Bits that are no label are no value.
/// assert!(kokoro_value::from_bytes::<Permissions>(&[0b1000]).is_err());
/// # Ok::<(), kokoro_value::DecodeError>(())
/// ```
///
/// The type is `Copy`, can be compared and hashed, is empty by `Default`, and implements [`Encode`](trait@crate::Encode) and
/// [`Decode`](trait@crate::Decode). It has the functions `empty`, `all`, `is_empty`, `contains`, `intersects`, `insert`,
/// `remove`, `set` and `union`, and the operators `|`, `&`, `-`, `!` and `|=`. Its size is that of its form, with room for any
/// number of labels.
#[macro_export]
macro_rules! flags {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$label_meta:meta])* $label:ident ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name($crate::rt::Bits<{ $crate::flags_size([$(stringify!($label)),+].len()) }>);

        #[allow(dead_code, reason = "which of these are used is the caller's business")]
        impl $name {
            const LABELS: &'static [&'static str] = &[$(stringify!($label)),+];

            $(
                $(#[$label_meta])*
                #[allow(missing_docs, reason = "WIT may leave a label without words")]
                $vis const $label: Self = Self($crate::rt::Bits::named(stringify!($label), Self::LABELS));
            )+

            /// No label.
            $vis const fn empty() -> Self {
                Self($crate::rt::Bits::EMPTY)
            }

            /// Every label.
            $vis const fn all() -> Self {
                Self($crate::rt::Bits::first(Self::LABELS.len()))
            }

            /// Whether there is no label.
            $vis const fn is_empty(self) -> bool {
                self.0.is_empty()
            }

            /// Whether all labels of the other are in this.
            $vis const fn contains(self, other: Self) -> bool {
                other.0.without(self.0).is_empty()
            }

            /// Whether a label of the other is in this.
            $vis const fn intersects(self, other: Self) -> bool {
                !other.0.and(self.0).is_empty()
            }

            /// The labels of both.
            $vis const fn union(self, other: Self) -> Self {
                Self(self.0.or(other.0))
            }

            /// Adds the labels of the other.
            $vis const fn insert(&mut self, other: Self) {
                self.0 = self.0.or(other.0);
            }

            /// Takes the labels of the other away.
            $vis const fn remove(&mut self, other: Self) {
                self.0 = self.0.without(other.0);
            }

            /// Adds the labels of the other or takes them away.
            $vis const fn set(&mut self, other: Self, there: bool) {
                if there {
                    self.insert(other);
                } else {
                    self.remove(other);
                }
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self::empty()
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                self.0.names(Self::LABELS, f)?;
                f.write_str(")")
            }
        }

        impl ::core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0.or(other.0))
            }
        }

        impl ::core::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.insert(other);
            }
        }

        impl ::core::ops::BitAnd for $name {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0.and(other.0))
            }
        }

        impl ::core::ops::Sub for $name {
            type Output = Self;

            fn sub(self, other: Self) -> Self {
                Self(self.0.without(other.0))
            }
        }

        impl ::core::ops::Not for $name {
            type Output = Self;

            fn not(self) -> Self {
                Self::all() - self
            }
        }

        impl $crate::Encode for $name {
            fn encode(&self, to: &mut $crate::Encoder) {
                self.0.encode(Self::LABELS.len(), to);
            }
        }

        impl $crate::Decode for $name {
            const MIN_SIZE: usize = $crate::flags_size(Self::LABELS.len());

            fn decode(from: &mut $crate::Decoder<'_>) -> ::core::result::Result<Self, $crate::DecodeError> {
                $crate::rt::Bits::decode(Self::LABELS.len(), from).map(Self)
            }
        }
    };
}
