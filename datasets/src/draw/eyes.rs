//! Eyes: white, iris, pupil, highlight, lids and lashes.
use super::{Painter, bell, inside};
use crate::colour::{Colour, mix, scale};

impl Painter<'_> {
    /// Paints an eye if there is one at `(u, v)`; returns the shine of the eyeball.
    pub(super) fn eye(&self, colour: &mut Colour, u: f32, v: f32) -> Option<f32> {
        let p = self.person;
        let side = if u < 0.0 { -1.0 } else { 1.0 };
        let lift = if u < 0.0 { p.asymmetry[2] } else { 0.0 };
        let out = u * side - p.eye_gap;
        if out.abs() > p.eye_width * 1.5 || (v - lift).abs() > 0.30 {
            return None;
        }
        let y = v - lift + p.eye_tilt * out;
        let t = out / p.eye_width;
        let open =
            p.eye_open * self.capture.eyes_open.clamp(0.3, 1.5) * (1.0 - 0.12 * self.capture.smile.max(0.0));
        let span = (1.0 - t * t).max(0.0);
        // The upper lid peaks a little towards the nose, the lower one towards the temple.
        let upper = -open * span.powf(0.72) * (1.0 - 0.18 * t);
        let lower = 0.58 * open * span.powf(0.9) * (1.0 + 0.15 * t);
        let ball = inside(upper - y) * inside(y - lower) * inside((t.abs() - 1.0) * p.eye_width);

        let crease = upper - p.lid_crease;
        *colour = mix(
            *colour,
            scale(self.skin, 0.50),
            0.55 * bell(y - crease, 0.012) * bell(t * 0.85, 0.95) * f32::from(u8::from(t.abs() < 1.15)),
        );
        if ball > 0.0 {
            let (gx, gy) = (side * self.capture.gaze[0] * 0.05, self.capture.gaze[1] * 0.03);
            let (ix, iy) = (out - gx, y + 0.006 - gy);
            let radius = 0.094;
            let far = (ix * ix + iy * iy).sqrt();
            let shadow =
                1.0 - 0.38 * ((y - upper) / (0.05 + open)).clamp(0.0, 1.0).mul_add(-1.0, 1.0).powi(2);
            let white = scale([0.84, 0.82, 0.80], 0.92 - 0.20 * t * t);
            let mut eye = mix(white, [0.62, 0.36, 0.34], 0.35 * bell(t + 1.0, 0.16));
            let spokes = 1.0 + 0.16 * (iy.atan2(ix) * 17.0).sin();
            let ring = 1.0 - 0.55 * (far / radius).powi(6).min(1.0);
            eye = mix(eye, scale(p.iris, spokes * ring * 1.15), inside(far - radius));
            eye = mix(eye, [0.02, 0.02, 0.02], inside(far - 0.040));
            eye = scale(eye, shadow);
            let glint = ((out * side - 0.028 * self.capture.light[0] - side * gx).powi(2)
                + (y + 0.034).powi(2))
            .sqrt();
            eye = mix(eye, [0.97, 0.97, 0.97], 0.9 * inside(glint - 0.014));
            *colour = mix(*colour, eye, ball);
        }
        let edge = inside((t.abs() - 1.04) * p.eye_width);
        let lash = (0.010 + 0.016 * p.lash) * (0.7 + 0.5 * t.clamp(-0.6, 1.0));
        *colour = mix(
            *colour,
            [0.05, 0.035, 0.03],
            (0.55 + 0.45 * p.lash) * inside((y - upper).abs() - lash) * edge,
        );
        *colour = mix(*colour, scale(self.skin, 0.42), 0.40 * bell(y - lower, 0.010) * edge);
        (ball > 0.5).then_some(0.9)
    }
}
