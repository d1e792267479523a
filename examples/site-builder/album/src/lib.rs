//! Landscapes of the size that cameras make, to try the site builder with. They are drawn, not taken, and the same each time; with
//! their noise they are as hard to compress as what comes from a camera.

mod landscape;
mod noise;

pub use landscape::{Landscape, Light};

use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

/// What cameras write: almost all there is to be seen, in many bytes.
const QUALITY: u8 = 93;

/// The landscape as a JPEG file of this size in pixels.
///
/// # Errors
///
/// If it has no pixels.
pub fn jpeg(landscape: &Landscape, width: u16, height: u16) -> Result<Vec<u8>, EncodingError> {
    encode(&landscape.pixels(width.into(), height.into()), width, height, None)
}

/// The landscape as a JPEG file as a camera writes it that is held upright: the pixels lie on their side, and a note says so. As it is
/// shown, it has this size in pixels.
///
/// # Errors
///
/// If it has no pixels.
pub fn upright_jpeg(landscape: &Landscape, width: u16, height: u16) -> Result<Vec<u8>, EncodingError> {
    let (across, down) = (usize::from(width), usize::from(height));
    let pixels = landscape.pixels(width.into(), height.into());
    let lying = (0..across).rev().flat_map(|x| (0..down).map(move |y| 3 * (y * across + x)));
    let lying: Vec<u8> = lying.flat_map(|at| [pixels[at], pixels[at + 1], pixels[at + 2]]).collect();
    // One entry: 0x112, the orientation, is 6: turn it by a quarter, clockwise.
    let note = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    encode(&lying, height, width, Some(note))
}

fn encode(pixels: &[u8], width: u16, height: u16, note: Option<&[u8]>) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
    if let Some(note) = note {
        encoder.add_exif_metadata(note)?;
    }
    encoder.encode(pixels, width, height, ColorType::Rgb)?;
    Ok(file)
}
