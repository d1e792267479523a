//! Makes small pictures of large ones.

use crate::codec::{Format, Version};
use crate::decode::{Decoded, decode};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageEncoder as _};
use jpeg_encoder::{Encoder, SamplingFactor};
use rayon::prelude::*;

/// Of photographs, more can hardly be seen, least of all on the screens for which a picture is shown at half its size.
const QUALITY: u8 = 80;

/// The versions of each of the `pictures`, from the narrowest to the widest.
pub(crate) fn resize(pictures: &[Vec<u8>], widths: &[u32]) -> Result<Vec<Result<Vec<Version>, String>>, String> {
    let mut results = Vec::new();
    // Decoded pictures are large, so there are never more of them at a time than cores.
    for some in pictures.chunks(rayon::current_num_threads().max(1)) {
        kokoro_satellite::give_up_if_cancelled()?;
        results.par_extend(some.par_iter().map(|picture| versions(picture, widths)));
    }
    Ok(results)
}

fn versions(original: &[u8], widths: &[u32]) -> Result<Vec<Version>, String> {
    let Decoded { mut image, orientation, profile, format } = decode(original)?;
    let is_sideways = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let turned = |(width, height): (u32, u32)| if is_sideways { (height, width) } else { (width, height) };
    let (width, height) = turned((image.width(), image.height()));
    let mut sizes: Vec<_> =
        sensible(widths, width).into_iter().map(|to| (to, in_proportion(height, to, width))).collect();

    // Each is made of the next wider one: only the first has to go through all pixels. And only it has to be turned.
    let mut images = Vec::new();
    let widest = sizes.pop().ok_or("no width is asked for")?;
    if widest.0 != width {
        image = scaled(&image, turned(widest))?;
    }
    image.apply_orientation(orientation);
    images.push(image);
    for size in sizes.into_iter().rev() {
        images.push(scaled(&images[images.len() - 1], size)?);
    }
    let encoded = images.par_iter().map(|image| encode(image, profile.as_deref(), format));
    let versions = encoded.collect::<Result<Vec<_>, _>>()?;

    let mut fewest = original.len();
    let mut kept = Vec::new();
    for version in versions {
        if version.content.len() < fewest {
            fewest = version.content.len();
            kept.push(version);
        } else if kept.is_empty() {
            kept.push(Version { width, height, format, content: original.to_vec() });
        }
    }
    kept.reverse();
    Ok(kept)
}

/// The widths that make sense for a picture of this width, which is the last one if it is not wider than all of them.
fn sensible(widths: &[u32], width: u32) -> Vec<u32> {
    let mut sensible: Vec<u32> = widths.iter().map(|to| *to.min(&width)).filter(|to| *to > 0).collect();
    sensible.sort_unstable();
    sensible.dedup();
    sensible
}

/// `length`, made smaller as a length of `from` is that becomes `to`.
fn in_proportion(length: u32, to: u32, from: u32) -> u32 {
    let length = (u64::from(length) * u64::from(to) + u64::from(from) / 2) / u64::from(from.max(1));
    u32::try_from(length).unwrap_or(u32::MAX).max(1)
}

/// The picture in another size.
fn scaled(image: &DynamicImage, (width, height): (u32, u32)) -> Result<DynamicImage, String> {
    let pixels = match image.color() {
        ColorType::L8 => PixelType::U8,
        ColorType::Rgb8 => PixelType::U8x3,
        ColorType::Rgba8 => PixelType::U8x4,
        other => return Err(format!("{other:?} is not expected here")),
    };
    let mut scaled = DynamicImage::new(width, height, image.color());
    let from = ImageRef::new(image.width(), image.height(), image.as_bytes(), pixels).map_err(told)?;
    let bytes = match &mut scaled {
        DynamicImage::ImageLuma8(image) => image.as_flat_samples_mut().samples,
        DynamicImage::ImageRgb8(image) => image.as_flat_samples_mut().samples,
        DynamicImage::ImageRgba8(image) => image.as_flat_samples_mut().samples,
        _ => &mut [],
    };
    let mut to = Image::from_slice_u8(width, height, bytes, pixels).map_err(told)?;
    // A slow filter by default, and a good one: Lanczos, with a window of three.
    Resizer::new().resize(&from, &mut to, &ResizeOptions::new()).map_err(told)?;
    Ok(scaled)
}

/// What is transparent becomes WebP without losses. What had no losses may be a drawing, which WebP has in fewer bytes, or a
/// photograph, which JPEG has.
fn encode(image: &DynamicImage, profile: Option<&[u8]>, from: Format) -> Result<Version, String> {
    let is_transparent = image.color().has_alpha();
    let webp = (is_transparent || from != Format::Jpeg).then(|| as_webp(image, profile)).transpose()?;
    let jpeg = (!is_transparent).then(|| as_jpeg(image, profile)).transpose()?;
    let (format, content) = match (webp, jpeg) {
        (Some(webp), Some(jpeg)) if jpeg.len() < webp.len() => (Format::Jpeg, jpeg),
        (Some(webp), _) => (Format::Webp, webp),
        (None, jpeg) => (Format::Jpeg, jpeg.unwrap_or_default()),
    };
    Ok(Version { width: image.width(), height: image.height(), format, content })
}

fn as_jpeg(image: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut encoder = Encoder::new(&mut content, QUALITY);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).map_err(told)?;
    }
    let length = |pixels: u32| u16::try_from(pixels).map_err(|_| format!("{pixels} pixels are too many for JPEG"));
    let (width, height) = (length(image.width())?, length(image.height())?);
    let colours =
        if image.color() == ColorType::L8 { jpeg_encoder::ColorType::Luma } else { jpeg_encoder::ColorType::Rgb };
    encoder.encode(image.as_bytes(), width, height, colours).map_err(told)?;
    Ok(content)
}

fn as_webp(image: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut content);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).map_err(told)?;
    }
    encoder.write_image(image.as_bytes(), image.width(), image.height(), image.color().into()).map_err(told)?;
    Ok(content)
}

pub(crate) fn told(error: impl std::error::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
