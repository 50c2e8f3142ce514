//! What is painted on the shape: skin, eyes, brows, lips, hair. Positions are in face units.
use crate::{
    capture::Capture,
    colour::{Colour, mix, scale, skin},
    noise::fractal,
    person::{Person, Sex},
};

mod eyes;
mod hair;

/// 1 well inside (`distance` far below 0), 0 well outside, soft over about a pixel.
fn inside(distance: f32) -> f32 {
    let t = (0.5 - distance / 0.014).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn bell(x: f32, width: f32) -> f32 {
    (-(x / width).powi(2)).exp()
}

/// Paints one person in one capture.
pub(crate) struct Painter<'a> {
    person: &'a Person,
    capture: &'a Capture,
    skin: Colour,
    lips: Colour,
    brow: Colour,
}

/// The colour of a surface point before light, and how much it shines (0 to 1).
pub(crate) struct Paint {
    pub(crate) colour: Colour,
    pub(crate) shine: f32,
}

impl<'a> Painter<'a> {
    pub(crate) fn new(person: &'a Person, capture: &'a Capture) -> Self {
        let skin = skin(person);
        let red = [skin[0] * 0.86 + 0.02, skin[1] * 0.52, skin[2] * 0.54];
        let rouge = [0.62, 0.16, 0.18];
        let lips = mix(
            mix(skin, red, 0.75),
            rouge,
            if person.sex == Sex::Female { 0.55 * person.lip_colour.max(0.0) } else { 0.0 },
        );
        let brow = scale(mix(person.hair_colour, [0.16, 0.11, 0.08], 0.45), 0.85);
        Self { person, capture, skin, lips, brow }
    }

    /// Colour of bare skin away from the face: neck and ears.
    pub(crate) fn bare(&self) -> Colour {
        self.skin
    }

    /// Paints the head's surface at `(u, v)`; `half` is the head's half width there.
    pub(crate) fn head(&self, u: f32, v: f32, half: f32) -> Paint {
        let p = self.person;
        let side = u.abs();
        let mut colour = self.complexion(u, v);
        self.beard(&mut colour, u, v, half);
        self.brows(&mut colour, u, v);
        // Nostrils.
        let nostril = ((side - p.nose_width * 0.40) / (p.nose_width * 0.24)).powi(2)
            + ((v - p.nose_length - 0.005 + p.nose_upturn * 0.5) / (0.026 + 0.2 * p.nose_upturn.max(0.0)))
                .powi(2);
        colour = mix(colour, scale(self.skin, 0.22), 0.9 * inside((nostril.sqrt() - 1.0) * 0.03));
        let wing =
            ((side - p.nose_width * 0.98) / 0.018).powi(2) + ((v - p.nose_length + 0.04) / 0.07).powi(2);
        colour = mix(colour, scale(self.skin, 0.55), 0.5 * (-wing).exp());
        let mut shine = 0.35 + 0.4 * bell(u, 0.25) + 0.2 * f32::from(u8::from(v < -0.4));
        if let Some(lip) = self.mouth(&mut colour, u, v) {
            shine = shine.max(lip);
        }
        if let Some(eye) = self.eye(&mut colour, u, v) {
            shine = eye;
        }
        let cover = self.front_hair(u, v, half);
        if cover > 0.0 {
            colour = mix(colour, self.strands(u, v), cover);
            shine = shine * (1.0 - cover) + 0.25 * cover;
        }
        self.glasses(&mut colour, u, v);
        Paint { colour, shine }
    }

    fn complexion(&self, u: f32, v: f32) -> Colour {
        let p = self.person;
        let side = u.abs();
        let mottle = fractal(u * 5.0, v * 5.0, p.texture_seed);
        let pores = fractal(u * 26.0, v * 26.0, p.texture_seed ^ 7);
        let mut colour = scale(self.skin, 1.0 + 0.035 * mottle + 0.025 * pores);
        let blood = 0.10
            * p.blush
            * (bell(side - 0.55, 0.22) * bell(v - 0.45, 0.20)
                + 0.6 * bell(u, 0.16) * bell(v - p.nose_length + 0.08, 0.10));
        colour = [colour[0] * (1.0 + 0.3 * blood), colour[1] * (1.0 - blood), colour[2] * (1.0 - blood)];
        // Darker thin skin round the eyes; bags and folds add to what light already does.
        let socket = bell(side - p.eye_gap, 0.24) * bell(v - 0.04, 0.13);
        colour = scale(colour, 1.0 - (0.10 + 0.10 * p.eye_bag) * socket);
        colour = scale(
            colour,
            1.0 - 0.18 * p.eye_bag * bell(side - p.eye_gap + 0.02, 0.15) * bell(v - 0.165, 0.028),
        );
        let mouth = p.mouth_v();
        let along = ((v - p.nose_length + 0.05) / (mouth - p.nose_length + 0.17)).clamp(0.0, 1.2);
        let fold = p.nose_width * 1.05 + (p.mouth_width * 1.15 - p.nose_width * 1.05) * along;
        if v > p.nose_length - 0.08 && v < mouth + 0.10 {
            colour = scale(colour, 1.0 - 0.20 * p.fold.min(1.2) * bell(side - fold, 0.028));
        }
        if p.wrinkle > 0.0 {
            let waves = ((v * 34.0 + 0.6 * mottle).sin() * 0.5 + 0.5).powi(6);
            colour = scale(colour, 1.0 - 0.13 * p.wrinkle * waves * bell(u, 0.55) * bell(v + 0.58, 0.16));
            let crow = ((v * 60.0 + (side - p.eye_gap) * 25.0).sin() * 0.5 + 0.5).powi(5);
            colour = scale(
                colour,
                1.0 - 0.16
                    * p.wrinkle
                    * crow
                    * bell(side - p.eye_gap - p.eye_width - 0.12, 0.07)
                    * bell(v, 0.09),
            );
        }
        if p.freckles > 0.0 {
            let spots = (fractal(u * 34.0, v * 34.0, p.texture_seed ^ 21) - 0.32).max(0.0);
            colour = mix(colour, [0.48, 0.29, 0.18], 1.6 * p.freckles * spots * bell(v - 0.40, 0.30));
        }
        for &[x, y, size] in &p.moles {
            let far = ((u - x).powi(2) + (v - y).powi(2)).sqrt();
            colour = mix(colour, scale(self.skin, 0.38), 0.85 * inside(far - size));
        }
        colour
    }

    fn brows(&self, colour: &mut Colour, u: f32, v: f32) {
        let p = self.person;
        let lift = if u > 0.0 { p.asymmetry[0] } else { -p.asymmetry[0] };
        let x = (u.abs() - p.eye_gap - 0.02) / p.brow_length;
        if x.abs() > 1.15 {
            return;
        }
        let centre =
            -p.brow_height - self.capture.brow_raise - lift - p.brow_arch * (1.0 - (x - 0.25).powi(2))
                + p.brow_tilt * x;
        let thick = p.brow_thickness * (1.0 - 0.55 * x.max(0.0)) * (1.0 - 0.2 * (-x).max(0.0));
        let ends = inside((x.abs() - 1.0) * p.brow_length);
        // Hairs lean outwards and up.
        let body = inside(((v - centre).abs() - thick) * 0.55) * ends;
        if body <= 0.0 {
            return;
        }
        let hairs = 0.75 + 0.45 * fractal(u.abs() * 46.0 + v * 22.0, v * 16.0, p.texture_seed ^ 3);
        *colour = mix(*colour, self.brow, body * p.brow_density * hairs.clamp(0.0, 1.0));
    }

    /// Paints the mouth; returns the shine of lips where there are any.
    fn mouth(&self, colour: &mut Colour, u: f32, v: f32) -> Option<f32> {
        let p = self.person;
        let smile = self.capture.smile;
        let half = p.mouth_width * (1.0 + 0.14 * smile);
        let x = (u - p.asymmetry[1]) / half;
        if x.abs() > 1.1 {
            return None;
        }
        let arc = (1.0 - x * x).max(0.0);
        let line = p.mouth_v() - (0.06 * smile + p.mouth_corner) * x * x + 0.008 * (x * 9.0).cos() * arc;
        let gap = 0.11 * self.capture.mouth_open * arc;
        let thin = 1.0 - 0.25 * smile.max(0.0);
        let bow = 1.0 - p.cupid * 7.0 * bell(x, 0.13) + p.cupid * 4.0 * bell(x.abs() - 0.24, 0.14);
        let upper = line - thin * p.upper_lip * arc.powf(0.75) * bow;
        let lower = line + gap + thin * p.lower_lip * arc.powf(0.6);
        let lip = inside(upper - v) * inside(v - lower);
        let strength = 0.80;
        if v < upper - 0.06 || v > lower + 0.06 {
            return None;
        }
        let streak = 1.0 + 0.05 * fractal(u * 60.0, v * 8.0, p.texture_seed ^ 5);
        let shade = if v < line { 0.86 } else { 1.0 };
        *colour = mix(*colour, scale(self.lips, shade * streak), lip * strength);
        if gap > 0.01 {
            let open = inside(line - v) * inside(v - line - gap);
            let teeth = if v < line + 0.55 * gap { [0.80, 0.77, 0.72] } else { [0.22, 0.08, 0.08] };
            *colour = mix(*colour, teeth, open);
        }
        let dark = bell(v - line, 0.011) * inside((x.abs() - 1.0) * half);
        *colour = mix(*colour, scale(self.lips, 0.32), 0.85 * dark);
        *colour =
            mix(*colour, scale(self.skin, 0.6), 0.45 * bell(x.abs() - 1.03, 0.05) * bell(v - line, 0.025));
        (lip > 0.3).then_some(0.7)
    }

    fn glasses(&self, colour: &mut Colour, u: f32, v: f32) {
        let p = self.person;
        let Some(glasses) = p.glasses else { return };
        let (x, y) = (((u.abs() - p.eye_gap) / glasses.width).abs(), ((v - 0.03) / glasses.height).abs());
        let shape = x.powf(glasses.roundness) + y.powf(glasses.roundness);
        let ring = (shape.powf(1.0 / glasses.roundness) - 1.0).abs() * glasses.height.min(glasses.width);
        let mut rim = inside(ring - glasses.rim);
        if u.abs() < p.eye_gap - glasses.width + 0.02 {
            rim = rim.max(inside((v + 0.03).abs() - glasses.rim));
        }
        if u.abs() > p.eye_gap + glasses.width - 0.02 {
            rim = rim.max(inside((v + 0.06).abs() - glasses.rim));
        }
        *colour = mix(*colour, glasses.colour, rim);
    }
}
