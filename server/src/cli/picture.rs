//! Image files as the command line handles them: read them, and know their upright size.

use std::{fs, io::Cursor, path::Path};

use bytes::Bytes;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, metadata::Orientation};

use super::{connect::MAX_MESSAGE_BYTES, failure::Failure};

/// Largest image that fits into a message beside its metadata, in bytes.
pub const MAX_IMAGE_BYTES: u64 = (MAX_MESSAGE_BYTES - 256 * 1024) as u64;

/// Reads an image file that is to be sent as one message.
///
/// # Errors
/// It cannot be read, or it is too large to be sent.
pub fn read(path: &Path) -> Result<Bytes, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::usage(format!("cannot read the image `{shown}`: {error}"));
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(Failure::usage(format!("`{shown}` is a folder, not an image")));
    }
    if meta.len() > MAX_IMAGE_BYTES {
        return Err(Failure::usage(format!(
            "`{shown}` has {} bytes, more than the {MAX_IMAGE_BYTES} that one message can carry",
            meta.len()
        ))
        .advise("send a smaller version, and say so with `--edits`"));
    }
    fs::read(path).map(Bytes::from).map_err(failed)
}

/// An image that a browser can show.
pub struct Shown {
    /// For example `image/jpeg`.
    pub media_type: &'static str,
    /// The bytes, as they were where a browser understands them.
    pub bytes: Bytes,
    /// Pixels of the upright image.
    pub width: u32,
    /// Pixels of the upright image.
    pub height: u32,
}

/// Largest side and memory the page's own decoding will touch; the service has decoded the image already.
const MAX_SIDE: u32 = 16_384;
const MAX_DECODED_BYTES: u64 = 512 * 1024 * 1024;

/// Prepares an image for a page: bytes unchanged where browsers show them upright, otherwise as PNG.
/// None when it cannot be decoded here; the page then says so.
pub fn show(bytes: &Bytes) -> Option<Shown> {
    let mut reader = ImageReader::new(Cursor::new(bytes.as_ref())).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let format = reader.format()?;
    let mut decoder = reader.into_decoder().ok()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = upright(decoder.dimensions(), orientation);
    // Browsers turn a JPEG by its EXIF orientation; for the other formats they differ, so those are turned here.
    let media_type = match (format, orientation) {
        (ImageFormat::Jpeg, _) => Some("image/jpeg"),
        (ImageFormat::Png, Orientation::NoTransforms) => Some("image/png"),
        (ImageFormat::WebP, Orientation::NoTransforms) => Some("image/webp"),
        (ImageFormat::Bmp, Orientation::NoTransforms) => Some("image/bmp"),
        _ => None,
    };
    if let Some(media_type) = media_type {
        return Some(Shown { media_type, bytes: bytes.clone(), width, height });
    }
    let mut decoded = DynamicImage::from_decoder(decoder).ok()?;
    decoded.apply_orientation(orientation);
    let mut png = Vec::new();
    DynamicImage::from(decoded.to_rgb8()).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).ok()?;
    Some(Shown { media_type: "image/png", bytes: png.into(), width, height })
}

fn upright((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn encoded(format: ImageFormat) -> Bytes {
        let mut out = Vec::new();
        DynamicImage::new_rgb8(40, 20).write_to(&mut Cursor::new(&mut out), format).unwrap();
        out.into()
    }

    #[test]
    fn known_formats_pass_unchanged_and_tiff_becomes_png() {
        let jpeg = encoded(ImageFormat::Jpeg);
        let shown = show(&jpeg).unwrap();
        assert_eq!((shown.media_type, shown.width, shown.height), ("image/jpeg", 40, 20));
        assert_eq!(shown.bytes, jpeg);
        assert_eq!(show(&encoded(ImageFormat::Tiff)).unwrap().media_type, "image/png");
    }

    #[test]
    fn an_upright_size_follows_the_orientation() {
        // A minimal EXIF block that says "turn by 90 degrees", put behind the JPEG's first marker.
        let jpeg = encoded(ImageFormat::Jpeg);
        let exif = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let turned = Bytes::from([&jpeg[..2], exif, &jpeg[2..]].concat());
        let shown = show(&turned).unwrap();
        assert_eq!((shown.width, shown.height), (20, 40));
    }

    #[test]
    fn rubbish_is_not_shown() {
        assert!(show(&Bytes::from_static(b"<svg onload=alert(1)>")).is_none());
        assert!(show(&Bytes::new()).is_none());
    }
}
