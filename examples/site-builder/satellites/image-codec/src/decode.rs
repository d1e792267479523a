//! Reads pictures, which may be anything.

use crate::codec::Format;
use crate::resize::told;
use crate::whole::is_whole;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    ColorType, DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageFormat, Limits, RgbImage, RgbaImage,
};
use std::io::Cursor;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_png::PngDecoder;

/// The largest picture that is decoded. A file of a few bytes can claim to be of any size.
const MOST_PIXELS: u64 = 120_000_000;
/// How much memory one decoded picture may take, in bytes: enough for that many pixels of four bytes.
const MOST_MEMORY: usize = 4 * MOST_PIXELS as usize;

/// A picture, not yet turned as its camera says.
pub(crate) struct Decoded {
    /// `L8`, `Rgb8` or `Rgba8`; the last only if something is transparent.
    pub(crate) image: DynamicImage,
    pub(crate) orientation: Orientation,
    /// What its colours mean, if that goes with how they are stored here.
    pub(crate) profile: Option<Vec<u8>>,
    pub(crate) format: Format,
}

pub(crate) fn decode(original: &[u8]) -> Result<Decoded, String> {
    match image::guess_format(original) {
        Ok(ImageFormat::Jpeg) => {
            let decoded = read(JpegDecoder::new(Cursor::new(original)).map_err(told)?, Format::Jpeg)?;
            if !is_whole(original) {
                return Err("the file ends before the picture does".to_owned());
            }
            Ok(decoded)
        }
        Ok(ImageFormat::Png) => read_png(original),
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(Cursor::new(original)).map_err(told)?;
            if decoder.has_animation() {
                return Err(MOVES.to_owned());
            }
            read(decoder, Format::Webp)
        }
        _ => Err("it is neither JPEG nor PNG nor WebP".to_owned()),
    }
}

const MOVES: &str = "it moves, and a smaller one would not";

fn read(mut decoder: impl ImageDecoder, format: Format) -> Result<Decoded, String> {
    let (width, height) = decoder.dimensions();
    check(u64::from(width), u64::from(height))?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY as u64);
    decoder.set_limits(limits).map_err(told)?;
    // Neither is worth losing the picture for.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(told)?;
    Ok(Decoded::new(image, orientation, profile, format))
}

fn read_png(original: &[u8]) -> Result<Decoded, String> {
    let (width, height) = png_size(original).ok_or("the file ends before the picture begins")?;
    check(width.into(), height.into())?;
    let options = DecoderOptions::default()
        .set_max_width(width as usize)
        .set_max_height(height as usize)
        .png_set_confirm_crc(true)
        .png_set_strip_to_8bit(true);
    let mut decoder = PngDecoder::new_with_options(ZCursor::new(original), options);
    let failed = |error| format!("{error:?}");
    decoder.decode_headers().map_err(failed)?;
    if decoder.is_animated() {
        return Err(MOVES.to_owned());
    }
    let pixels = decoder.decode_raw().map_err(failed)?;
    let image = match decoder.colorspace() {
        Some(ColorSpace::Luma) => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::LumaA) => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::RGB) => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::RGBA) => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    let image = image.ok_or("its pixels are not understood")?;
    let info = decoder.info().ok_or("its header is not understood")?;
    let orientation = info.exif.as_deref().and_then(Orientation::from_exif_chunk);
    Ok(Decoded::new(image, orientation.unwrap_or(Orientation::NoTransforms), info.icc_profile.clone(), Format::Png))
}

/// Width and height, which stand at a fixed place.
fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at| png.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    Some((number(16)?, number(20)?))
}

fn check(width: u64, height: u64) -> Result<(), String> {
    match width * height {
        0 => Err("it has no pixels".to_owned()),
        pixels if pixels > MOST_PIXELS => {
            Err(format!("{width} x {height} pixels are too many: {} million are the most", MOST_PIXELS / 1_000_000))
        }
        _ => Ok(()),
    }
}

impl Decoded {
    fn new(image: DynamicImage, orientation: Orientation, profile: Option<Vec<u8>>, format: Format) -> Self {
        let image = plain(image);
        let space: &[u8] = if image.color() == ColorType::L8 { b"GRAY" } else { b"RGB " };
        let profile = profile.filter(|profile| profile.get(16..20) == Some(space));
        Self { image, orientation, profile, format }
    }
}

/// In 8 bits for each channel, and without transparency where nothing is transparent.
fn plain(image: DynamicImage) -> DynamicImage {
    if image.color().has_alpha() {
        let image = image.into_rgba8();
        match image.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
            true => DynamicImage::ImageRgba8(image).into_rgb8().into(),
            false => image.into(),
        }
    } else if image.color().has_color() {
        image.into_rgb8().into()
    } else {
        image.into_luma8().into()
    }
}
