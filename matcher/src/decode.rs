//! Decode: untrusted bytes become pixels, or a refusal.
//!
//! Every limit is checked against the file's header before memory for pixels is taken. Orientation marks are
//! applied. Grey, palette, 16-bit, floating-point and CMYK images become 8-bit RGB. Transparent pixels are laid on
//! white, as printers and most viewers show them: what the operator saw is what is searched. Colour profiles are
//! not applied: the networks were trained without.

mod jpeg_end;
mod resample;
mod sample;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{Cursor, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};
use serde::{Deserialize, Serialize};

pub(crate) use sample::Grid;

use crate::{rejection::Rejection, spare};

/// No face is found in fewer pixels than this.
const SHORTEST_SIDE: u32 = 32;
/// Decoders may take this much memory per accepted pixel: four 16-bit channels.
const WORKING_BYTES_PER_PIXEL: u64 = 8;

/// What an image may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest file in bytes.
    pub max_bytes: usize,
    /// Most pixels, width times height.
    pub max_pixels: u64,
    /// Longest side in pixels.
    pub max_side: u32,
}

impl Default for Limits {
    /// 10 MiB, 40 megapixels, 16,384 pixels.
    fn default() -> Self {
        Self { max_bytes: 10 * 1024 * 1024, max_pixels: 40_000_000, max_side: 16_384 }
    }
}

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    WebP,
    /// `image/bmp`
    Bmp,
    /// `image/tiff`
    Tiff,
}

impl MediaType {
    /// The registered media type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    fn format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
        }
    }

    /// The format that the first bytes announce. File names and declared types are never asked.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes).ok()? {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::WebP => Some(Self::WebP),
            ImageFormat::Bmp => Some(Self::Bmp),
            ImageFormat::Tiff => Some(Self::Tiff),
            _ => None,
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        })
    }
}

/// 8-bit RGB pixels, row by row. The pixels have no `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Image {
    /// An image of these pixels (red, green, blue, row by row), or nothing when their number does not fit.
    #[must_use]
    pub fn from_rgb(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let expected = (u64::from(width) * u64::from(height)).checked_mul(3)?;
        (expected == pixels.len() as u64).then_some(Self { width, height, pixels })
    }

    /// An image of any content: all of it is to be written.
    pub(crate) fn unwritten(width: u32, height: u32) -> Self {
        Self { width, height, pixels: spare::bytes(width as usize * height as usize * 3) }
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Red, green, blue of each pixel, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(crate) fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }
}

impl Drop for Image {
    /// The next image of this thread takes the place of this one.
    fn drop(&mut self) {
        spare::give_bytes(std::mem::take(&mut self.pixels));
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// Turns a file's bytes into upright 8-bit RGB pixels.
///
/// # Errors
/// A [`Rejection`] that says which limit was passed or what is wrong with the file. Memory stays within
/// `limits.max_pixels` times 8 bytes for the decoder and 3 bytes for the result.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<(Image, MediaType), Rejection> {
    if bytes.is_empty() {
        return Err(Rejection::Empty);
    }
    if bytes.len() > limits.max_bytes {
        return Err(Rejection::TooManyBytes { bytes: bytes.len(), limit: limits.max_bytes });
    }
    let media_type = MediaType::sniff(bytes).ok_or(Rejection::UnknownFormat)?;
    // The decoders are other people's code and meet hostile bytes: a panic in one is a refusal of its file. Nothing
    // is shared with the closure, so nothing can be left half done.
    let image = catch_unwind(AssertUnwindSafe(|| pixels(bytes, media_type, limits)))
        .unwrap_or_else(|_| Err(undecodable(media_type, "the decoder gave up")))?;
    Ok((image, media_type))
}

fn pixels(bytes: &[u8], media_type: MediaType, limits: &Limits) -> Result<Image, Rejection> {
    let refused = |error: ImageError| refusal(media_type, &error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), media_type.format());
    let mut allowed = image::Limits::no_limits();
    allowed.max_alloc = Some(limits.max_pixels.saturating_mul(WORKING_BYTES_PER_PIXEL));
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(refused)?;

    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    if media_type == MediaType::Jpeg && !jpeg_end::is_present(bytes) {
        // The decoder would fill the missing rows with grey.
        return Err(Rejection::Truncated { media_type });
    }
    // A broken mark is as good as none: the pixels are still there.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut decoded = if decoder.color_type() == ColorType::Rgb8 {
        let mut buffer = spare::bytes(usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX));
        // What a broken file leaves out must not show what another file left behind.
        buffer.fill(0);
        decoder.read_image(&mut buffer).map_err(refused)?;
        let image = RgbImage::from_raw(width, height, buffer)
            .ok_or_else(|| undecodable(media_type, "the pixels do not fill the image"))?;
        DynamicImage::ImageRgb8(image)
    } else {
        let decoded = DynamicImage::from_decoder(decoder).map_err(refused)?;
        DynamicImage::ImageRgb8(to_rgb(decoded))
    };
    decoded.apply_orientation(orientation);
    let rgb = decoded.into_rgb8();
    let (width, height) = rgb.dimensions();
    Image::from_rgb(width, height, rgb.into_raw())
        .ok_or_else(|| undecodable(media_type, "the pixels do not fill the image"))
}

fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), Rejection> {
    if width.max(height) > limits.max_side {
        return Err(Rejection::SideTooLong { width, height, limit: limits.max_side });
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Rejection::TooManyPixels { width, height, limit: limits.max_pixels });
    }
    if width.min(height) < SHORTEST_SIDE {
        return Err(Rejection::TooSmall { width, height, minimum: SHORTEST_SIDE });
    }
    Ok(())
}

/// Any pixel format as 8-bit RGB, transparency laid on white.
fn to_rgb(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let (width, height) = rgba.dimensions();
    let on_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u16::from(value), u16::from(alpha));
        // Rounded, and at most 255: the weights sum to 255.
        u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    let mut rgb = RgbImage::new(width, height);
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [on_white(red, alpha), on_white(green, alpha), on_white(blue, alpha)];
    }
    rgb
}

fn refusal(media_type: MediaType, error: &ImageError) -> Rejection {
    match error {
        ImageError::Limits(_) => Rejection::TooMuchMemory { media_type },
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Rejection::Truncated { media_type }
        }
        error => undecodable(media_type, &error.to_string()),
    }
}

fn undecodable(media_type: MediaType, reason: &str) -> Rejection {
    // Decoders may quote the file: nothing of it may steer a terminal or fill a log.
    let reason = reason.chars().filter(|character| !character.is_control()).take(200).collect();
    Rejection::Undecodable { media_type, reason }
}
