// The derives of a record, a tuple and a variant. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.

#[automatically_derived]
impl<T: ::kokoro_value::Encode> ::kokoro_value::Encode for Place<T> {
    fn encode(&self, to: &mut ::kokoro_value::Encoder) {
        <String as ::kokoro_value::Encode>::encode(&self.name, to);
        <Option<T> as ::kokoro_value::Encode>::encode(&self.at, to);
    }
}
#[automatically_derived]
impl<T: ::kokoro_value::Decode> ::kokoro_value::Decode for Place<T> {
    const MIN_SIZE: usize = 0 + <String as ::kokoro_value::Decode>::MIN_SIZE
        + <Option<T> as ::kokoro_value::Decode>::MIN_SIZE;
    fn decode(
        from: &mut ::kokoro_value::Decoder<'_>,
    ) -> ::core::result::Result<Self, ::kokoro_value::DecodeError> {
        ::core::result::Result::Ok(Self {
            name: <String as ::kokoro_value::Decode>::decode(from)?,
            at: <Option<T> as ::kokoro_value::Decode>::decode(from)?,
        })
    }
}

#[automatically_derived]
impl ::kokoro_value::Encode for Size {
    fn encode(&self, to: &mut ::kokoro_value::Encoder) {
        <u16 as ::kokoro_value::Encode>::encode(&self.0, to);
        <u16 as ::kokoro_value::Encode>::encode(&self.1, to);
    }
}
#[automatically_derived]
impl ::kokoro_value::Decode for Size {
    const MIN_SIZE: usize = 0 + <u16 as ::kokoro_value::Decode>::MIN_SIZE
        + <u16 as ::kokoro_value::Decode>::MIN_SIZE;
    fn decode(
        from: &mut ::kokoro_value::Decoder<'_>,
    ) -> ::core::result::Result<Self, ::kokoro_value::DecodeError> {
        ::core::result::Result::Ok(Self {
            0: <u16 as ::kokoro_value::Decode>::decode(from)?,
            1: <u16 as ::kokoro_value::Decode>::decode(from)?,
        })
    }
}
const _: usize = <Size as ::kokoro_value::Decode>::MIN_SIZE;

#[automatically_derived]
impl other::path::Encode for Shape {
    fn encode(&self, to: &mut other::path::Encoder) {
        match self {
            Self::Point => to.discriminant(0u32, 2usize),
            Self::Circle(payload) => {
                to.discriminant(1u32, 2usize);
                <u16 as other::path::Encode>::encode(payload, to)
            }
        }
    }
}
#[automatically_derived]
impl other::path::Decode for Shape {
    const MIN_SIZE: usize = other::path::discriminant_size(2usize)
        + other::path::rt::min(&[0, <u16 as other::path::Decode>::MIN_SIZE]);
    fn decode(
        from: &mut other::path::Decoder<'_>,
    ) -> ::core::result::Result<Self, other::path::DecodeError> {
        ::core::result::Result::Ok(
            match from.discriminant(2usize)? {
                0u32 => Self::Point,
                _ => Self::Circle(<u16 as other::path::Decode>::decode(from)?),
            },
        )
    }
}
const _: usize = <Shape as other::path::Decode>::MIN_SIZE;
