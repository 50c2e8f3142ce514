//! From a person and a capture to pixels.
use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder as _, ImageError, Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use thiserror::Error;

use crate::{
    capture::Capture,
    colour::{Colour, mix, scale},
    degrade::degrade,
    draw::Painter,
    noise::fractal,
    person::{HairStyle, Person},
    surface::Surface,
};

/// An image that the encoder refuses.
#[derive(Debug, Error)]
#[error("the image cannot be encoded or decoded: {0}")]
pub struct EncodeError(#[from] pub(crate) ImageError);

/// JPEG bytes of `image` at `quality`, 1 to 100.
///
/// # Errors
/// When a side is 0 or above 65,535 pixels.
pub fn encode_jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, quality).write_image(
        image.as_raw(),
        image.width(),
        image.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes.into_inner())
}

/// Renders `person` as `capture` shows them. The same arguments give the same pixels (on other processors single values may
/// differ by one, as their mathematics libraries do).
#[must_use]
pub fn render(person: &Person, capture: &Capture) -> RgbImage {
    let scene = Scene::new(person, capture);
    let clean = RgbImage::from_fn(capture.width, capture.height, |x, y| {
        let colour = scene.pixel(x as f32 + 0.5, y as f32 + 0.5);
        Rgb(colour.map(|part| (part * 255.0).round().clamp(0.0, 255.0) as u8))
    });
    // Degrading a rendered image cannot fail: its sides are those of a picture the encoder takes.
    degrade(&clean, &capture.degradation, capture.noise_seed).unwrap_or(clean)
}

struct Scene<'a> {
    person: &'a Person,
    capture: &'a Capture,
    surface: Surface,
    painter: Painter<'a>,
    unit: f32,
    centre: [f32; 2],
    roll: (f32, f32),
    yaw: (f32, f32),
    pitch: (f32, f32),
    light: [f32; 3],
    tint: Colour,
}

impl<'a> Scene<'a> {
    fn new(person: &'a Person, capture: &'a Capture) -> Self {
        let (width, height) = (capture.width as f32, capture.height as f32);
        let [x, y, z] = capture.light;
        let length = (x * x + y * y + z * z).sqrt().max(1e-3);
        Self {
            person,
            capture,
            surface: Surface::of(person, capture),
            painter: Painter::new(person, capture),
            unit: capture.face_share * width,
            centre: [width * (0.5 + capture.offset[0]), height * 0.44 + width * capture.offset[1]],
            roll: capture.roll.sin_cos(),
            yaw: capture.yaw.sin_cos(),
            pitch: capture.pitch.sin_cos(),
            light: [x / length, y / length, z / length],
            tint: [1.0 + 0.06 * capture.warmth, 1.0, 1.0 - 0.09 * capture.warmth],
        }
    }

    fn pixel(&self, px: f32, py: f32) -> Colour {
        let (dx, dy) = ((px - self.centre[0]) / self.unit, (py - self.centre[1]) / self.unit);
        let (sin, cos) = self.roll;
        let (x, y) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let colour = if let Some((u, v, half)) = self.hit(x, y) {
            let paint = self.painter.head(u, v, half);
            let normal = self.turned(self.surface.normal(u, v));
            let lit = self.lit(paint.colour, normal, paint.shine);
            let edge = ((half - u.abs()) / 0.03).clamp(0.0, 1.0);
            if edge < 1.0 { mix(self.behind(x, y, px, py), lit, edge) } else { lit }
        } else {
            let behind = self.behind(x, y, px, py);
            // Hair that stands off the head, beside the neck and not before it.
            let beside = y < 0.5 || x.abs() > 0.80 * self.person.jaw + 0.10 * (y - 0.5);
            let hair = if beside {
                self.painter.standing_hair(x - 0.5 * self.yaw.0, y - 0.35 * self.pitch.0)
            } else {
                0.0
            };
            if hair > 0.0 {
                mix(behind, self.lit(self.painter.strands(x, y), [x * 0.6, (y + 0.4) * 0.6, 0.75], 0.2), hair)
            } else {
                behind
            }
        };
        let [red, green, blue] = scale(colour, self.capture.exposure);
        [red * self.tint[0], green * self.tint[1], blue * self.tint[2]]
    }

    /// The point of the head that is seen at `(x, y)`, by following the height field.
    fn hit(&self, x: f32, y: f32) -> Option<(f32, f32, f32)> {
        let mut z = 0.55;
        let (mut u, mut v) = (x, y);
        if x.abs() > 1.6 || !(-1.9..1.9).contains(&y) {
            return None;
        }
        for _ in 0..5 {
            u = (x - z * self.yaw.0) / self.yaw.1;
            v = (y - z * self.pitch.0) / self.pitch.1;
            z = 0.5 * z + 0.5 * self.surface.height(u, v).max(0.0);
        }
        let half = self.surface.half_width(v);
        (half > 0.0 && u.abs() < half).then_some((u, v, half))
    }

    fn turned(&self, [x, y, z]: [f32; 3]) -> [f32; 3] {
        let (x, z) = (x * self.yaw.1 + z * self.yaw.0, z * self.yaw.1 - x * self.yaw.0);
        [x, y * self.pitch.1 + z * self.pitch.0, z * self.pitch.1 - y * self.pitch.0]
    }

    fn lit(&self, colour: Colour, normal: [f32; 3], shine: f32) -> Colour {
        let along = normal[0] * self.light[0] + normal[1] * self.light[1] + normal[2] * self.light[2];
        // Wrapped diffuse light: skin scatters a little past the terminator. Creases that face away see less of the room.
        let diffuse = ((along + 0.3) / 1.3).max(0.0);
        let room = 0.62 + 0.38 * normal[2].max(0.0);
        let ambient = self.capture.ambient;
        let light = 1.12 * (ambient * room + (1.0 - ambient) * diffuse);
        let half = [self.light[0], self.light[1], self.light[2] + 1.0];
        let length = (half[0] * half[0] + half[1] * half[1] + half[2] * half[2]).sqrt();
        let gleam =
            ((normal[0] * half[0] + normal[1] * half[1] + normal[2] * half[2]) / length).max(0.0).powi(28)
                * shine
                * 0.16
                * (1.0 - ambient)
                * 2.0;
        // Light that went through skin comes back redder.
        let warm = 0.03 * (1.0 - diffuse);
        [
            colour[0] * light * (1.0 + warm) + gleam,
            colour[1] * light + gleam,
            colour[2] * light * (1.0 - warm) + gleam,
        ]
    }

    /// Background, shoulders, neck, ears, and hair behind the head.
    fn behind(&self, x: f32, y: f32, px: f32, py: f32) -> Colour {
        let p = self.person;
        let (w, h) = (self.capture.width as f32, self.capture.height as f32);
        let mut colour =
            scale(self.capture.background, 1.06 - 0.12 * (py / h) + 0.04 * (px / w - 0.5) * self.light[0]);
        if matches!(p.hair, HairStyle::Long | HairStyle::Bob) {
            let back = self.painter.standing_hair(x * 0.97, y);
            colour = mix(
                colour,
                scale(self.lit(self.painter.strands(x, y), [x * 0.5, 0.0, 0.8], 0.1), 0.72),
                back,
            );
        }
        let shoulder = p.chin + 0.42 + 0.16 * (x.abs() - 0.45).max(0.0).powf(1.3);
        let neck_half = 0.50 * p.jaw / 0.78 + 0.10 * (y - p.chin).max(0.0);
        if y > 0.5 && x.abs() < neck_half {
            let across = x / neck_half;
            let normal = [across, 0.25, (1.0 - across * across).max(0.05).sqrt()];
            let shadow = 0.62 + 0.38 * ((y - p.chin - 0.05) / 0.35).clamp(0.0, 1.0);
            colour = scale(self.lit(self.painter.bare(), normal, 0.1), shadow);
        }
        if y > shoulder + 0.06 * (1.0 - (x / 0.5).powi(2)).max(0.0)
            && !(x.abs() < 0.40 && y < shoulder + 0.16 - x.abs() * 0.4)
        {
            let weave = 1.0 + 0.06 * fractal(x * 9.0, y * 9.0, p.texture_seed ^ 31);
            colour =
                self.lit(scale(self.capture.clothes, weave), [0.35 * x.clamp(-1.2, 1.2), -0.35, 0.8], 0.0);
        }
        let half = self.surface.half_width(0.12);
        let ear_x = (x - 0.30 * self.yaw.0).abs() - half - p.ear_out * 0.5;
        let ear = ((ear_x / (0.09 + p.ear_out)).powi(2) + ((y - 0.15) / p.ear).powi(2)).sqrt();
        if ear < 1.0 && !matches!(p.hair, HairStyle::Long | HairStyle::Bob) {
            let inner = 1.0 - 0.35 * (-((ear - 0.45) / 0.16).powi(2)).exp();
            colour = scale(self.lit(self.painter.bare(), [0.4 * x.signum(), 0.0, 0.8], 0.1), inner);
        }
        colour
    }
}
