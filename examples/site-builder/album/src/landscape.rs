//! Mountains, a sky and a lake.

use crate::noise::{at, mix, shapes};
use rayon::prelude::*;

/// The shore, from the top of the picture; below it is the lake.
const SHORE: f32 = 0.8;
const RIDGES: u32 = 5;

type Colour = [f32; 3];

/// A place, at some time of the day.
#[derive(Debug, Clone)]
pub struct Landscape {
    /// Another number is another place.
    pub seed: u32,
    /// The time of the day.
    pub light: Light,
}

/// Colours, from 0 to 1 for red, green and blue.
#[derive(Debug, Clone)]
pub struct Light {
    /// The sky, high above.
    pub sky: [f32; 3],
    /// The sky where it meets the mountains, and the air before what is far away.
    pub air: [f32; 3],
    /// The nearest mountains.
    pub ground: [f32; 3],
    /// The sun or the moon.
    pub sun: [f32; 3],
    /// Where it stands: from the left and from the top, from 0 to 1.
    pub sun_at: [f32; 2],
    /// How much of the sky has clouds, from 0 to 1.
    pub clouds: f32,
}

/// What is the same for all pixels of a column: where each ridge begins, from the nearest to the farthest.
type Column = [f32; RIDGES as usize];

impl Landscape {
    /// Red, green and blue of each pixel, line by line.
    pub fn pixels(&self, width: u32, height: u32) -> Vec<u8> {
        let (across, down) = (width as f32, height as f32);
        let wide = across / down;
        let columns: Vec<Column> = (0..width).into_par_iter().map(|x| self.column(x as f32 / across)).collect();
        let mut pixels = vec![0; 3 * width as usize * height as usize];
        pixels.par_chunks_mut(3 * width.max(1) as usize).enumerate().for_each(|(y, line)| {
            let v = y as f32 / down;
            for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
                let colour = match v > SHORE {
                    true => self.lake(x as f32 / across, v, wide, &columns),
                    false => self.land(x as f32 / across, v, wide, &columns[x]),
                };
                // No camera is without noise, and in the dark there is more of it.
                for (channel, value) in pixel.iter_mut().zip(colour) {
                    let seed = self.seed ^ 0x5eed;
                    let noise = at(x as i32, y as i32, seed) + at(y as i32, x as i32, seed) - 1.0;
                    *channel = ((value + noise * mix(0.035, 0.015, value.clamp(0.0, 1.0))) * 255.0) as u8;
                }
            }
        });
        pixels
    }

    fn column(&self, u: f32) -> Column {
        std::array::from_fn(|ridge| {
            let far = ridge as f32 / (RIDGES - 1) as f32;
            let seed = self.seed.wrapping_mul(31).wrapping_add(100 * ridge as u32);
            let rough = shapes(u * mix(2.0, 3.5, far), far * 7.0, 11, seed);
            let base = mix(SHORE + 0.03, 0.5, far);
            base - (rough - 0.3) * mix(0.5, 0.42, far)
        })
    }

    fn land(&self, u: f32, v: f32, wide: f32, column: &Column) -> Colour {
        let Some(ridge) = column.iter().position(|begins| v > *begins) else { return self.sky(u, v, wide) };
        let far = ridge as f32 / (RIDGES - 1) as f32;
        let seed = self.seed.wrapping_add(7_000 + ridge as u32);
        let scale = mix(26.0, 60.0, far);
        let rock = shapes(u * scale, v * scale * 1.7, 7, seed);
        // What rises towards the sun is bright.
        let slope = shapes(u * scale + 0.35, v * scale * 1.7, 4, seed) - rock;
        let lit = 0.62 + 0.6 * rock + 1.6 * slope * ((self.light.sun_at[0] - u) * 5.0).clamp(-1.0, 1.0);
        // Snow on what is high.
        let snow = ((column[ridge] + 0.10 - v) * 14.0 + (rock - 0.62) * 4.0).clamp(0.0, 1.0)
            * if ridge > 1 { 0.8 } else { 0.0 };
        let air = (0.12 + 0.72 * far).min(1.0);
        channels(|channel| {
            let ground = mix(self.light.ground[channel], 0.92 * self.light.sun[channel], snow) * lit;
            mix(ground, self.light.air[channel], air)
        })
    }

    /// `wide` is how many times the picture's height its width is: the sun is round.
    fn sky(&self, u: f32, v: f32, wide: f32) -> Colour {
        let height = (v / 0.62).clamp(0.0, 1.0);
        let [sun_u, sun_v] = self.light.sun_at;
        let (across, down) = ((u - sun_u) * wide, v - sun_v);
        let distance = across * across + down * down;
        let glow = 0.012 / (0.012 + distance);
        let disc = ((0.0011 - distance) * 9_000.0).clamp(0.0, 1.0);
        let cloud = shapes(u * 3.0, v * 9.0, 7, self.seed.wrapping_add(900));
        let cloud = ((cloud - 0.78 + 0.4 * self.light.clouds) * 4.0).clamp(0.0, 0.85) * (1.0 - height * 0.5);
        channels(|channel| {
            let clear = mix(self.light.sky[channel], self.light.air[channel], height * height);
            let clouded =
                mix(clear, mix(0.9 * self.light.air[channel] + 0.1, self.light.sun[channel], 0.5 * glow), cloud);
            mix(mix(clouded, self.light.sun[channel], 0.6 * glow), self.light.sun[channel], disc * (1.0 - cloud))
        })
    }

    /// What the lake shows is what is above it, upside down and stirred by the wind.
    fn lake(&self, u: f32, v: f32, wide: f32, columns: &[Column]) -> Colour {
        let deep = (v - SHORE) / (1.0 - SHORE);
        let wave = shapes(u * mix(60.0, 14.0, deep), v * mix(900.0, 260.0, deep), 5, self.seed.wrapping_add(77)) - 0.5;
        let from_u = (u + wave * 0.02 * deep).clamp(0.0, 0.9999);
        let from_v = (SHORE - (v - SHORE) * 2.6 + wave * 0.09 * deep).clamp(0.0, SHORE);
        let column = &columns[(from_u * columns.len() as f32) as usize];
        let mirrored = self.land(from_u, from_v, wide, column);
        channels(|channel| {
            mix(mirrored[channel] * 0.82, self.light.ground[channel] * 0.7, 0.12 + 0.35 * deep) + wave * 0.07
        })
    }
}

fn channels(of: impl Fn(usize) -> f32) -> Colour {
    [of(0), of(1), of(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landscape_is_the_same_each_time_and_another_one_is_not() {
        let light = Light {
            sky: [0.2, 0.4, 0.8],
            air: [0.8, 0.9, 1.0],
            ground: [0.1, 0.2, 0.1],
            sun: [1.0; 3],
            sun_at: [0.7, 0.2],
            clouds: 0.5,
        };
        let draw = |seed| Landscape { seed, light: light.clone() }.pixels(40, 30);
        assert_eq!(draw(1).len(), 40 * 30 * 3);
        assert!(draw(1) == draw(1) && draw(1) != draw(2));
        assert!(Landscape { seed: 1, light }.pixels(0, 0).is_empty());
    }
}
