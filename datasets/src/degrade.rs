//! What camera, distance and storage do to a picture.
use image::{
    RgbImage,
    imageops::{self, FilterType},
};
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::render::{EncodeError, encode_jpeg};

/// How a picture is spoilt, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degradation {
    /// Gaussian blur of the lens, standard deviation in pixels.
    pub defocus: f32,
    /// Length of horizontal motion blur, pixels; 0 or 1 is none.
    pub motion: u32,
    /// Scale the sensor sees it at, 1 is as rendered; the result is scaled back to the first size.
    pub scale: f32,
    /// Factor on brightness.
    pub gain: f32,
    /// Factor on contrast about mid-grey.
    pub contrast: f32,
    /// Share of colour that is kept; 0 is grey.
    pub saturation: f32,
    /// Standard deviation of sensor noise, of 255.
    pub noise: f32,
    /// JPEG quality, 1 to 100, of storage before it reaches us; nothing for none.
    pub jpeg: Option<u8>,
}

impl Degradation {
    /// A portrait camera: a trace of blur and noise.
    pub fn portrait(rng: &mut impl Rng) -> Self {
        Self {
            defocus: rng.random_range(0.0..0.7),
            motion: 0,
            scale: 1.0,
            gain: 1.0,
            contrast: 1.0,
            saturation: 1.0,
            noise: rng.random_range(1.0..3.5),
            jpeg: None,
        }
    }

    /// A shop or street camera: few pixels on the face, soft, noisy, pale, compressed.
    pub fn cctv(rng: &mut impl Rng) -> Self {
        Self {
            defocus: rng.random_range(0.4..1.2),
            motion: rng.random_range(0..4),
            scale: rng.random_range(0.36..0.60),
            gain: rng.random_range(0.85..1.1),
            contrast: rng.random_range(0.70..0.95),
            saturation: rng.random_range(0.25..0.8),
            noise: rng.random_range(3.0..8.0),
            jpeg: Some(rng.random_range(35..60)),
        }
    }
}

/// Spoils `image` as `how` says. The same seed gives the same result.
///
/// # Errors
/// When the JPEG encoder refuses the image (a side of 0 or above 65,535).
pub fn degrade(image: &RgbImage, how: &Degradation, seed: u64) -> Result<RgbImage, EncodeError> {
    let (width, height) = image.dimensions();
    let mut picture =
        if how.defocus > 0.05 { imageops::fast_blur(image, how.defocus) } else { image.clone() };
    if how.motion > 1 {
        picture = motion(&picture, how.motion);
    }
    if how.scale < 1.0 {
        let small = |side: u32| ((side as f32 * how.scale) as u32).max(1);
        picture = imageops::resize(&picture, small(width), small(height), FilterType::Triangle);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for pixel in picture.pixels_mut() {
        let grey = (0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]))
            * (1.0 - how.saturation);
        // One draw for luminance and a weaker one per channel, as sensors do after demosaicing.
        let shared = bell(&mut rng) * how.noise;
        for channel in &mut pixel.0 {
            let coloured = grey + f32::from(*channel) * how.saturation;
            let toned = ((coloured - 128.0) * how.contrast + 128.0) * how.gain;
            *channel = (toned + shared + 0.4 * how.noise * bell(&mut rng)).round().clamp(0.0, 255.0) as u8;
        }
    }
    if let Some(quality) = how.jpeg {
        let bytes = encode_jpeg(&picture, quality)?;
        picture = image::load_from_memory(&bytes).map_err(EncodeError)?.to_rgb8();
    }
    if how.scale < 1.0 {
        picture = imageops::resize(&picture, width, height, FilterType::CatmullRom);
    }
    Ok(picture)
}

/// Approximately standard normal: the sum of four uniform numbers, scaled.
fn bell(rng: &mut impl Rng) -> f32 {
    let sum = rng.random::<f32>() + rng.random::<f32>() + rng.random::<f32>() + rng.random::<f32>();
    (sum - 2.0) * 1.732
}

fn motion(image: &RgbImage, length: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let mut sum = [0u32; 3];
        for step in 0..length {
            let at = (x + step).saturating_sub(length / 2).min(width - 1);
            for (total, &part) in sum.iter_mut().zip(&image.get_pixel(at, y).0) {
                *total += u32::from(part);
            }
        }
        image::Rgb(sum.map(|total| (total / length) as u8))
    })
}
