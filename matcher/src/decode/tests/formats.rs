//! Every format and pixel kind becomes the same upright RGB.
use image::{DynamicImage, ImageFormat};

use super::{Limits, MediaType, close, corners, decode, encoded, pixel, quadrants};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const GREY: [u8; 3] = [127, 127, 127];

fn expect_corners(bytes: &[u8], expected: [[u8; 3]; 4], what: &str) {
    let (image, _) = decode(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for (found, expected) in corners(&image).into_iter().zip(expected) {
        assert!(close(found, expected, 6), "{what}: {found:?} where {expected:?} is");
    }
}

#[test]
fn five_formats_are_known_by_their_content() {
    let image = DynamicImage::ImageRgb8(quadrants(80, 64));
    for (format, media_type) in [
        (ImageFormat::Jpeg, MediaType::Jpeg),
        (ImageFormat::Png, MediaType::Png),
        (ImageFormat::WebP, MediaType::WebP),
        (ImageFormat::Bmp, MediaType::Bmp),
        (ImageFormat::Tiff, MediaType::Tiff),
    ] {
        let bytes = encoded(&image, format);
        let (decoded, found) = decode(&bytes, &Limits::default()).unwrap();
        assert_eq!(found, media_type);
        assert_eq!((decoded.width(), decoded.height()), (80, 64));
        expect_corners(&bytes, [RED, GREEN, BLUE, GREY], media_type.as_str());
    }
}

#[test]
fn cmyk_and_ycck_jpeg_become_rgb() {
    expect_corners(include_bytes!("../samples/cmyk.jpg"), [RED, GREEN, BLUE, GREY], "CMYK");
    expect_corners(include_bytes!("../samples/ycck.jpg"), [RED, GREEN, BLUE, GREY], "YCCK");
}

#[test]
fn deep_grey_and_float_pixels_become_rgb() {
    let rgb = DynamicImage::ImageRgb8(quadrants(64, 64));
    let luma = rgb.to_luma8();
    let grey = |x, y| [luma.get_pixel(x, y).0[0]; 3];
    let greys = [grey(16, 16), grey(48, 16), grey(16, 48), grey(48, 48)];
    let colours = [RED, GREEN, BLUE, GREY];
    let cases = [
        ("16-bit colour PNG", DynamicImage::ImageRgb16(rgb.to_rgb16()), ImageFormat::Png, colours),
        ("16-bit colour TIFF", DynamicImage::ImageRgb16(rgb.to_rgb16()), ImageFormat::Tiff, colours),
        ("float TIFF", DynamicImage::ImageRgb32F(rgb.to_rgb32f()), ImageFormat::Tiff, colours),
        ("8-bit grey PNG", DynamicImage::ImageLuma8(luma.clone()), ImageFormat::Png, greys),
        ("16-bit grey PNG", DynamicImage::ImageLuma16(rgb.to_luma16()), ImageFormat::Png, greys),
        ("grey JPEG", DynamicImage::ImageLuma8(luma.clone()), ImageFormat::Jpeg, greys),
        ("grey and alpha PNG", DynamicImage::ImageLumaA8(rgb.to_luma_alpha8()), ImageFormat::Png, greys),
        ("16-bit RGBA PNG", DynamicImage::ImageRgba16(rgb.to_rgba16()), ImageFormat::Png, colours),
        ("RGBA BMP", DynamicImage::ImageRgba8(rgb.to_rgba8()), ImageFormat::Bmp, colours),
        ("RGBA WebP", DynamicImage::ImageRgba8(rgb.to_rgba8()), ImageFormat::WebP, colours),
    ];
    for (what, image, format, expected) in cases {
        expect_corners(&encoded(&image, format), expected, what);
    }
}

#[test]
fn transparency_is_laid_on_white() {
    let alphas = [0, 128, 255];
    let image = image::RgbaImage::from_fn(96, 32, |x, _| image::Rgba([0, 100, 0, alphas[(x / 32) as usize]]));
    let (decoded, _) =
        decode(&encoded(&DynamicImage::ImageRgba8(image), ImageFormat::Png), &Limits::default()).unwrap();
    assert_eq!(pixel(&decoded, 16, 16), [255, 255, 255]);
    assert!(close(pixel(&decoded, 48, 16), [127, 177, 127], 1));
    assert_eq!(pixel(&decoded, 80, 16), [0, 100, 0]);
}

/// An EXIF segment that holds nothing but the orientation, little-endian.
fn exif(orientation: u8) -> Vec<u8> {
    let tiff =
        [b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
    let mut segment = vec![0xFF, 0xE1];
    segment.extend(u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    segment
}

#[test]
fn all_eight_orientations_end_upright() {
    // How the upright image lies in the file for each mark (EXIF 2.32, 4.6.4 A).
    let upright = DynamicImage::ImageRgb8(quadrants(96, 64));
    let stored = [
        upright.clone(),
        upright.fliph(),
        upright.rotate180(),
        upright.flipv(),
        upright.rotate90().fliph(),
        upright.rotate270(),
        upright.rotate90().flipv(),
        upright.rotate90(),
    ];
    for (mark, stored) in (1..=8).zip(&stored) {
        let mut jpeg = encoded(stored, ImageFormat::Jpeg);
        jpeg.splice(2..2, exif(mark));
        let (decoded, _) = decode(&jpeg, &Limits::default()).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (96, 64), "mark {mark}");
        expect_corners(&jpeg, [RED, GREEN, BLUE, GREY], &format!("mark {mark}"));
    }
}

#[test]
fn a_nonsense_orientation_is_none() {
    for mark in [0, 9, 255] {
        let mut jpeg = encoded(&DynamicImage::ImageRgb8(quadrants(96, 64)), ImageFormat::Jpeg);
        jpeg.splice(2..2, exif(mark));
        expect_corners(&jpeg, [RED, GREEN, BLUE, GREY], &format!("mark {mark}"));
    }
}
