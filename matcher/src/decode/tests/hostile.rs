//! Bytes that are no image, or that cost more than they show.
use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

use super::{Limits, decode, encoded, quadrants};
use crate::rejection::Rejection;

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff];

fn refusal(bytes: &[u8]) -> Rejection {
    decode(bytes, &Limits::default()).expect_err("a refusal")
}

fn code(bytes: &[u8]) -> &'static str {
    refusal(bytes).code()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(content);
    chunk.extend(crc(&chunk[4..]).to_be_bytes());
    chunk
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &header));
    png.extend(chunk(b"IDAT", &[0x78, 0x9C, 3, 0, 0, 0, 0, 1]));
    png.extend(chunk(b"IEND", &[]));
    png
}

fn bmp_header(width: u32, height: u32) -> Vec<u8> {
    let mut bmp = b"BM".to_vec();
    for value in [1_000, 0, 54, 40, width, height] {
        bmp.extend(u32::to_le_bytes(value));
    }
    bmp.extend([1, 0, 24, 0]);
    bmp.extend([0; 24]);
    bmp
}

fn jpeg_header(width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = encoded(&DynamicImage::ImageRgb8(quadrants(64, 64)), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

fn tiff_header(width: u32, height: u32) -> Vec<u8> {
    let entry = |tag: u16, value: u32| {
        let mut entry = tag.to_le_bytes().to_vec();
        entry.extend([4, 0, 1, 0, 0, 0]);
        entry.extend(value.to_le_bytes());
        entry
    };
    let entries = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 1),
    ];
    let mut tiff = b"II\x2a\0\x08\0\0\0".to_vec();
    tiff.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    tiff.extend(entries.iter().flat_map(|&(tag, value)| entry(tag, value)));
    tiff.extend([0; 4]);
    tiff
}

fn webp_header(width: u32, height: u32) -> Vec<u8> {
    // A lossless frame: signature, then 14 bits each of width and height, less one.
    let bits = (width - 1) | ((height - 1) << 14);
    let mut webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f".to_vec();
    webp.extend(bits.to_le_bytes());
    webp.extend([0; 8]);
    webp
}

#[test]
fn nothing_and_too_much_are_refused_by_length() {
    assert_eq!(refusal(&[]), Rejection::Empty);
    let limits = Limits { max_bytes: 99, ..Limits::default() };
    assert_eq!(decode(&[0; 100], &limits), Err(Rejection::TooManyBytes { bytes: 100, limit: 99 }));
}

#[test]
fn junk_and_foreign_formats_are_unknown() {
    assert_eq!(code(&vec![0xA5; 10 * 1024 * 1024]), "unknown_format");
    assert_eq!(code(b"%PDF-1.7 not an image"), "unknown_format");
    assert_eq!(code(b"GIF89a\x01\0\x01\0\0\0\0;"), "unknown_format");
    assert_eq!(code(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "unknown_format");
    assert_eq!(code(b"\xFF"), "unknown_format");
}

#[test]
fn large_headers_are_refused_before_memory_is_taken() {
    let side = |width, height| Rejection::SideTooLong { width, height, limit: 16_384 };
    assert_eq!(refusal(&png_header(30_000, 30_000)), side(30_000, 30_000));
    assert_eq!(code(&png_header(i32::MAX as u32, 1)), "too_much_memory");
    assert_eq!(refusal(&jpeg_header(u16::MAX, u16::MAX)), side(65_535, 65_535));
    assert_eq!(refusal(&tiff_header(30_000, 30_000)), side(30_000, 30_000));
    // Formats whose headers cannot exceed a side, or whose decoders refuse by themselves.
    let pixels = |width, height| Rejection::TooManyPixels { width, height, limit: 40_000_000 };
    assert_eq!(refusal(&png_header(16_000, 16_000)), pixels(16_000, 16_000));
    assert_eq!(refusal(&jpeg_header(16_000, 16_000)), pixels(16_000, 16_000));
    assert_eq!(refusal(&webp_header(16_000, 16_000)), pixels(16_000, 16_000));
    assert!(["side_too_long", "undecodable"].contains(&code(&bmp_header(30_000, 30_000))));
    assert!(["too_many_pixels", "undecodable"].contains(&code(&bmp_header(16_000, 16_000))));
}

#[test]
fn small_images_are_refused() {
    for (width, height) in [(1, 1), (31, 200), (200, 31)] {
        let bytes = encoded(&DynamicImage::ImageRgb8(quadrants(width, height)), ImageFormat::Png);
        assert_eq!(refusal(&bytes), Rejection::TooSmall { width, height, minimum: 32 });
    }
}

#[test]
fn cut_off_files_are_refused() {
    for format in FORMATS {
        let whole = encoded(&DynamicImage::ImageRgb8(quadrants(128, 128)), format);
        for percent in [1, 5, 10, 25, 50, 75, 90] {
            let cut = &whole[..whole.len() * percent / 100];
            let found = if cut.is_empty() { "empty" } else { code(cut) };
            let fitting = ["empty", "truncated", "undecodable", "unknown_format"].contains(&found);
            assert!(fitting, "{format:?} cut to {percent} %: {found}");
        }
    }
    let jpeg = encoded(&DynamicImage::ImageRgb8(quadrants(128, 128)), ImageFormat::Jpeg);
    assert_eq!(code(&jpeg[..jpeg.len() - 2]), "truncated");
}

#[test]
fn the_end_mark_of_a_preview_does_not_count() {
    let mut jpeg = encoded(&DynamicImage::ImageRgb8(quadrants(128, 128)), ImageFormat::Jpeg);
    jpeg.splice(2..2, [0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9]);
    assert!(decode(&jpeg, &Limits::default()).is_ok());
    assert_eq!(code(&jpeg[..jpeg.len() - 2]), "truncated");
}

#[test]
fn bytes_after_the_end_are_ignored() {
    let mut jpeg = encoded(&DynamicImage::ImageRgb8(quadrants(64, 64)), ImageFormat::Jpeg);
    jpeg.extend(b"camera maker's notes");
    assert!(decode(&jpeg, &Limits::default()).is_ok());
}

#[test]
fn pixels_that_need_more_memory_than_allowed_are_refused() {
    let deep = encoded(
        &DynamicImage::ImageRgb32F(DynamicImage::ImageRgb8(quadrants(64, 64)).to_rgb32f()),
        ImageFormat::Tiff,
    );
    let limits = Limits { max_pixels: 64 * 64, ..Limits::default() };
    let refused = decode(&deep, &limits).expect_err("12 bytes per pixel");
    assert_eq!(refused.code(), "too_much_memory");
}

#[test]
fn reasons_hold_no_control_characters() {
    let mut png = png_header(64, 64);
    png.splice(33..33, chunk(b"\x1b[2J", b"x"));
    let shown = refusal(&png).to_string();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}

fn never_more_than_allowed(bytes: &[u8]) {
    let limits = Limits { max_bytes: 1 << 20, max_pixels: 1 << 20, max_side: 4_096 };
    if let Ok((image, _)) = decode(bytes, &limits) {
        assert!(u64::from(image.width()) * u64::from(image.height()) <= limits.max_pixels);
        assert_eq!(image.pixels().len(), image.width() as usize * image.height() as usize * 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), format in 0..6_usize) {
        let magic: [&[u8]; 6] = [b"", b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8 ", b"BM", b"II\x2a\0"];
        let mut all = magic[format].to_vec();
        all.extend(bytes);
        never_more_than_allowed(&all);
    }

    #[test]
    fn damaged_files_never_panic(
        format in 0..FORMATS.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        keep in 1..=100_usize,
    ) {
        let mut bytes = encoded(&DynamicImage::ImageRgb8(quadrants(64, 48)), FORMATS[format]);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(bytes.len() * keep / 100);
        never_more_than_allowed(&bytes);
    }
}
