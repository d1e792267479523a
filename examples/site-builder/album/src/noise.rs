//! Noise that is the same each time: of a place, not of a moment.

/// A number from 0 to 1 for a point of the grid.
pub(crate) fn at(x: i32, y: i32, seed: u32) -> f32 {
    let mut bits =
        (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841) ^ seed.wrapping_mul(0xcb1a_b31f);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    bits ^= bits >> 15;
    (bits >> 8) as f32 / (1 << 24) as f32
}

/// Between the points of the grid, without edges.
fn smooth(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (right, down) = (ease(x - left), ease(y - top));
    let (left, top) = (left as i32, top as i32);
    let row = |y| mix(at(left, y, seed), at(left + 1, y, seed), right);
    mix(row(top), row(top + 1), down)
}

/// Large shapes with smaller ones on them, down to the `octaves`-th half; from 0 to 1.
pub(crate) fn shapes(mut x: f32, mut y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut whole, mut weight) = (0.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += weight * smooth(x, y, seed.wrapping_add(octave));
        whole += weight;
        weight *= 0.5;
        // Turned a little each time, so that the grid does not show.
        (x, y) = (1.6 * x + 1.2 * y, 1.6 * y - 1.2 * x);
    }
    sum / whole
}

/// The number at `part` of the way from `a` to `b`.
pub(crate) fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}
