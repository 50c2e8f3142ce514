//! Hair: on the head in front of it, behind it, and on the face.
use super::{Painter, bell, inside};
use crate::{
    colour::{Colour, mix, scale},
    noise::fractal,
    person::{FacialHair, HairStyle},
};

impl Painter<'_> {
    /// How far hair covers the head's surface at `(u, v)`, 0 to 1.
    pub(super) fn front_hair(&self, u: f32, v: f32, half: f32) -> f32 {
        let p = self.person;
        if v > -0.2 && u.abs() < 0.5 * half {
            return 0.0;
        }
        let across = (u.abs() / half.max(0.3)).min(1.0);
        let ragged = 0.030 * fractal(u * 9.0, v * 3.0, p.texture_seed ^ 11);
        // The hairline runs level over the brow, dips at the middle (or recedes), and falls steeply at the temples.
        let fall = |end: f32| (end - p.hairline) * ((across - 0.66).max(0.0) / 0.34).powf(1.6);
        let line = p.hairline + p.hairline_peak * bell(u, 0.20);
        let (edge, dense) = match p.hair {
            HairStyle::Bald => (line - 0.40 + fall(0.15) * 0.8, if across > 0.86 { 0.35 } else { 0.0 }),
            HairStyle::Cropped => (line + fall(0.10), 0.80),
            HairStyle::Short => (line + 0.10 * p.parting * u + fall(0.20), 1.0),
            HairStyle::Bob | HairStyle::Long => {
                let curtain = 0.22 * (u * p.parting.signum() + 0.35 * p.parting.abs()).max(0.0);
                (line + curtain + fall(1.6), 1.0)
            }
            HairStyle::TiedBack => (line + 0.02 + fall(0.05), 0.95),
            HairStyle::Afro => (line + 0.03 + fall(0.25), 1.0),
        };
        let soft = if matches!(p.hair, HairStyle::Cropped | HairStyle::Bald) { 0.25 } else { 0.5 };
        dense * inside((v - edge + ragged) * soft)
    }

    /// How far hair that stands off the head covers `(x, y)` on the screen, in face units, and whether it lies in front of the neck.
    pub(crate) fn standing_hair(&self, x: f32, y: f32) -> f32 {
        let p = self.person;
        let volume = match p.hair {
            HairStyle::Bald => return 0.0,
            HairStyle::Cropped => 0.02,
            HairStyle::TiedBack => 0.035,
            HairStyle::Short => 0.09 * p.hair_volume,
            HairStyle::Bob => 0.13 * p.hair_volume,
            HairStyle::Long => 0.12 * p.hair_volume,
            HairStyle::Afro => 0.30 * p.hair_volume,
        };
        let ragged = 0.02 * fractal(x * 8.0, y * 8.0, p.texture_seed ^ 13);
        let wide = p.cranium.max(p.forehead) + volume;
        let tall = -p.crown() - 0.25 + volume * 1.15;
        let cap = ((x / wide).powi(2) + ((y + 0.25) / tall).powi(2)).sqrt() - 1.0;
        let dome =
            if y < -0.25 || p.hair == HairStyle::Afro { inside((cap * wide + ragged) * 0.7) } else { 0.0 };
        let (end, flare) = match p.hair {
            HairStyle::Bob => (p.jaw_height + 0.25, 0.10),
            HairStyle::Long => (2.6, 0.12),
            HairStyle::Short => (0.12, -0.10),
            HairStyle::Cropped | HairStyle::TiedBack | HairStyle::Bald | HairStyle::Afro => (-0.2, 0.0),
        };
        let sides = if y >= -0.26 && y < end {
            inside((x.abs() - wide - flare * (y + 0.25).clamp(0.0, 1.2) + ragged) * 0.7)
                * inside((y - end) * 0.3)
        } else {
            0.0
        };
        dome.max(sides)
    }

    /// The colour of hair at a place.
    pub(crate) fn strands(&self, u: f32, v: f32) -> Colour {
        let p = self.person;
        let (along, across) = if p.hair == HairStyle::Afro { (14.0, 14.0) } else { (2.5, 26.0) };
        let strand = fractal(u * across + 0.4 * v, v * along, p.texture_seed ^ 17);
        let sheen = 0.22 * bell(v + 0.95, 0.16) * f32::from(u8::from(p.hair != HairStyle::Afro));
        scale(p.hair_colour, 1.0 + 0.30 * strand + sheen)
    }

    pub(super) fn beard(&self, colour: &mut Colour, u: f32, v: f32, half: f32) {
        let p = self.person;
        let side = u.abs();
        let mouth = p.mouth_v();
        let lip = inside((side - p.mouth_width * 1.05) * 0.3)
            * inside((p.nose_length + 0.07 - v) * 0.4)
            * inside((v - mouth + 0.01) * 0.4);
        let around =
            ((side / (p.mouth_width * 1.25)).powi(4) + ((v - mouth - 0.16) / 0.36).powi(4)).powf(0.25);
        let goatee = inside((around - 1.0) * 0.12) * inside((mouth - 0.02 - v) * 0.3);
        // Along the jaw: below a line from the ear to the corner of the mouth.
        let cheek_line = mouth
            - 0.02
            - 0.55 * ((side - p.mouth_width) / (half - p.mouth_width).max(0.2)).clamp(0.0, 1.0).powf(1.5);
        let jaw = inside((cheek_line - v) * 0.25);
        let (cover, strength) = match p.facial_hair {
            FacialHair::None => return,
            FacialHair::Stubble => (jaw.max(lip), 0.30),
            FacialHair::Moustache => (lip, 0.85),
            FacialHair::Goatee => (lip.max(goatee), 0.85),
            FacialHair::Full => (lip.max(jaw), 0.88),
        };
        if cover <= 0.0 {
            return;
        }
        let hairs = 0.75 + 0.5 * fractal(u * 40.0, v * 30.0, p.texture_seed ^ 19);
        let hair = scale(mix(p.hair_colour, [0.14, 0.10, 0.08], 0.25), 0.9);
        *colour = mix(*colour, hair, cover * strength * p.beard_density * hairs.clamp(0.0, 1.0));
    }
}
