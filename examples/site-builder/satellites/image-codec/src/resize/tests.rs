use super::*;
use image::{GenericImageView as _, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;

/// Red on the left and blue on the right, dark at the top and bright at the bottom, with some noise that costs bytes.
fn photograph(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).rotate_left(7) % 9;
        let light = 80 + 120 * y / height + noise;
        let light = u8::try_from(light).unwrap();
        if x < width / 2 { Rgb([light, 20, 20]) } else { Rgb([20, 20, light]) }
    })
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut content = Vec::new();
    let encoder = Encoder::new(&mut content, 95);
    let [width, height] = [image.width(), image.height()].map(|length| u16::try_from(length).unwrap());
    encoder.encode(image, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    content
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let image = image.into();
    let colours = match image.color() {
        ColorType::L8 => ColorSpace::Luma,
        ColorType::Rgb8 => ColorSpace::RGB,
        _ => ColorSpace::RGBA,
    };
    let size = [image.width(), image.height()].map(|length| usize::try_from(length).unwrap());
    let options = EncoderOptions::default().set_width(size[0]).set_height(size[1]).set_colorspace(colours);
    let mut content = Vec::new();
    zune_png::PngEncoder::new(image.as_bytes(), options).encode(&mut content).unwrap();
    content
}

fn one(picture: &[u8], widths: &[u32]) -> Result<Vec<Version>, String> {
    resize(&[picture.to_vec()], widths).unwrap().pop().unwrap()
}

fn sizes(versions: &[Version]) -> Vec<(u32, u32)> {
    for version in versions {
        let image = decode(&version.content).unwrap().image;
        assert_eq!((image.width(), image.height()), (version.width, version.height));
        let format = match version.format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::Webp => ImageFormat::WebP,
        };
        assert_eq!(image::guess_format(&version.content).unwrap(), format);
    }
    assert!(
        versions.is_sorted_by(|narrow, wide| narrow.content.len() < wide.content.len()),
        "the wider the more bytes"
    );
    versions.iter().map(|version| (version.width, version.height)).collect()
}

#[test]
fn versions_have_the_widths_that_are_asked_for_but_none_is_wider_than_the_picture() {
    let picture = jpeg(&photograph(600, 401));
    assert_eq!(sizes(&one(&picture, &[240, 480, 960, 1920]).unwrap()), [(240, 160), (480, 321), (600, 401)]);
    assert_eq!(sizes(&one(&picture, &[480, 240]).unwrap()), [(240, 160), (480, 321)]);
    assert_eq!(sizes(&one(&picture, &[600, 600, 0]).unwrap()), [(600, 401)]);
    let line = jpeg(&photograph(900, 1));
    assert_eq!(sizes(&one(&line, &[10]).unwrap()), [(10, 1)]);
    assert_eq!(one(&picture, &[]).unwrap_err(), "no width is asked for");
}

#[test]
fn pictures_come_back_in_order_each_with_its_own_error() {
    let good = jpeg(&photograph(300, 200));
    let pictures = [&good[..], b"no picture", &good, &good[..good.len() / 2], &[]].map(<[u8]>::to_vec);
    let results = resize(&pictures, &[100]).unwrap();
    assert_eq!(sizes(results[0].as_ref().unwrap()), [(100, 67)]);
    assert_eq!(sizes(results[2].as_ref().unwrap()), [(100, 67)]);
    for number in [1, 4] {
        assert_eq!(results[number].as_ref().unwrap_err(), "it is neither JPEG nor PNG nor WebP");
    }
    assert_eq!(results[3].as_ref().unwrap_err(), "the file ends before the picture does");
}

#[test]
fn a_call_that_was_cancelled_gives_up() {
    let answer = kokoro_satellite::testing::cancelled(|| resize(&[jpeg(&photograph(30, 20))], &[10]));
    assert_eq!(answer.unwrap_err(), "the application cancelled this call");
}

#[test]
fn a_picture_is_turned_as_the_camera_says() {
    let image = photograph(400, 200);
    for (orientation, size, red_at, blue_at) in [
        (1, (200, 100), (10, 90), (190, 90)),
        (3, (200, 100), (190, 10), (10, 10)),
        (6, (200, 400), (100, 10), (100, 390)),
        (8, (200, 400), (100, 390), (100, 10)),
    ] {
        let mut content = Vec::new();
        let mut encoder = Encoder::new(&mut content, 95);
        encoder
            .add_exif_metadata(
                &[b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..], &[0; 6]].concat(),
            )
            .unwrap();
        encoder.encode(&image, 400, 200, jpeg_encoder::ColorType::Rgb).unwrap();
        let versions = one(&content, &[200]).unwrap();
        assert_eq!(sizes(&versions), [size], "{orientation}");
        let turned = image::load_from_memory(&versions[0].content).unwrap();
        assert!(turned.get_pixel(red_at.0, red_at.1).0[0] > 80, "{orientation}");
        assert!(turned.get_pixel(blue_at.0, blue_at.1).0[2] > 80, "{orientation}");
    }
}

#[test]
fn photographs_become_jpeg_and_drawings_and_what_is_transparent_become_webp() {
    assert!(one(&png(photograph(600, 400)), &[300]).unwrap().iter().all(|version| version.format == Format::Jpeg));
    let drawing = RgbImage::from_fn(600, 400, |x, _| if x / 50 % 2 == 0 { Rgb([255; 3]) } else { Rgb([0; 3]) });
    assert!(one(&png(drawing), &[300, 600]).unwrap().iter().all(|version| version.format == Format::Webp));
    let glass = |alpha| {
        let image = photograph(600, 400);
        RgbaImage::from_fn(600, 400, |x, y| Rgba([image[(x, y)][0], image[(x, y)][1], image[(x, y)][2], alpha]))
    };
    let versions = one(&png(glass(90)), &[300]).unwrap();
    assert_eq!((sizes(&versions), versions[0].format), (vec![(300, 200)], Format::Webp));
    assert_eq!(image::load_from_memory(&versions[0].content).unwrap().get_pixel(20, 20).0[3], 90);
    assert_eq!(one(&png(glass(255)), &[300]).unwrap()[0].format, Format::Jpeg);
    let grey = image::GrayImage::from_fn(300, 200, |x, y| Luma([((x * y) % 256) as u8]));
    assert_eq!(sizes(&one(&png(grey), &[100]).unwrap()), [(100, 67)]);
}

#[test]
fn where_nothing_has_fewer_bytes_the_picture_is_its_own_version() {
    let mut small = Vec::new();
    let mut encoder = Encoder::new(&mut small, 30);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&photograph(300, 200), 300, 200, jpeg_encoder::ColorType::Rgb).unwrap();
    let versions = one(&small, &[150, 900]).unwrap();
    let widest = versions.last().unwrap();
    assert_eq!((widest.width, widest.height), (300, 200));
    assert!(widest.content == small, "{} bytes, not {}", widest.content.len(), small.len());
    sizes(&versions);
}

#[test]
fn a_picture_that_claims_to_be_huge_takes_no_memory() {
    let mut huge = png(photograph(8, 8));
    // The header: length, `IHDR`, width, height, five bytes more, checksum.
    huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    huge[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let checksum = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.to_be_bytes());
    let error = one(&huge, &[240]).unwrap_err();
    assert_eq!(error, "60000 x 60000 pixels are too many: 120 million are the most");
    // Its bytes say so as well, in a JPEG.
    let mut huge = jpeg(&photograph(8, 8));
    let frame = huge.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    let error = one(&huge, &[240]).unwrap_err();
    assert_eq!(error, "60000 x 60000 pixels are too many: 120 million are the most");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1))))
}

/// Whatever is done to a file, the answer is versions or a sentence.
#[test]
fn no_damage_makes_it_panic() {
    let mut random = 7_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let webp = as_webp(&photograph(64, 48).into(), None).unwrap();
    for picture in [jpeg(&photograph(64, 48)), png(photograph(64, 48)), webp] {
        for _ in 0..400 {
            let mut damaged = picture.clone();
            for _ in 0..=next(4) {
                let at = next(damaged.len());
                damaged[at] = u8::try_from(next(256)).unwrap();
            }
            damaged.truncate(damaged.len() - next(3) * next(damaged.len() / 4));
            match one(&damaged, &[10, 64]) {
                Ok(versions) => assert!(!versions.is_empty()),
                Err(reason) => assert!(!reason.is_empty()),
            }
        }
    }
}
