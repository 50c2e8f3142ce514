//! Who a synthetic person is: the parameters that stay the same in every capture.
//!
//! Lengths are in *face units*: half the width of an average face at the cheekbones is 1. `v` grows downwards, 0 is the
//! line of the eyes, the chin of an average face lies at 1.45 and the crown at -1.25.
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How a generated person presents. A generator parameter, never an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sex {
    /// Female presentation.
    Female,
    /// Male presentation.
    Male,
}

/// The age band a person is drawn from. A generator parameter, never an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBand {
    /// 18 to 30 years.
    Young,
    /// 31 to 55 years.
    Middle,
    /// 56 years and older.
    Older,
}

/// How the hair is worn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HairStyle {
    /// None on top.
    Bald,
    /// Very short all over.
    Cropped,
    /// Short, with volume on top.
    Short,
    /// To the jaw.
    Bob,
    /// Past the shoulders.
    Long,
    /// Drawn back from the face.
    TiedBack,
    /// Full and round.
    Afro,
}

/// Hair on the face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FacialHair {
    /// None.
    None,
    /// A day or two of growth.
    Stubble,
    /// Upper lip only.
    Moustache,
    /// Round the mouth and chin.
    Goatee,
    /// Jaw, chin and upper lip.
    Full,
}

/// A synthetic person. Two persons with the same seed and index are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Seed of the family of persons.
    pub seed: u64,
    /// Position in the family.
    pub index: u64,
    /// How the person presents.
    pub sex: Sex,
    /// Age band.
    pub age: AgeBand,
    /// Skin tone on the Monk scale, 1 (lightest) to 10 (darkest).
    pub monk_tone: u8,
    /// Linear offsets of the skin from its tone: lightness, redness, yellowness.
    pub(crate) skin_shift: [f32; 3],
    pub(crate) hair: HairStyle,
    pub(crate) hair_colour: [f32; 3],
    pub(crate) hairline: f32,
    pub(crate) hairline_peak: f32,
    pub(crate) parting: f32,
    pub(crate) hair_volume: f32,
    pub(crate) facial_hair: FacialHair,
    pub(crate) beard_density: f32,
    pub(crate) cranium: f32,
    pub(crate) forehead: f32,
    pub(crate) cheek: f32,
    pub(crate) jaw: f32,
    pub(crate) jaw_height: f32,
    pub(crate) chin_width: f32,
    pub(crate) chin: f32,
    pub(crate) chin_depth: f32,
    pub(crate) cheekbone: f32,
    pub(crate) cheek_hollow: f32,
    pub(crate) brow_ridge: f32,
    pub(crate) brow_height: f32,
    pub(crate) brow_arch: f32,
    pub(crate) brow_tilt: f32,
    pub(crate) brow_length: f32,
    pub(crate) brow_thickness: f32,
    pub(crate) brow_density: f32,
    pub(crate) eye_gap: f32,
    pub(crate) eye_width: f32,
    pub(crate) eye_open: f32,
    pub(crate) eye_tilt: f32,
    pub(crate) eye_depth: f32,
    pub(crate) lid_crease: f32,
    pub(crate) lash: f32,
    pub(crate) iris: [f32; 3],
    pub(crate) nose_length: f32,
    pub(crate) nose_bridge: f32,
    pub(crate) nose_width: f32,
    pub(crate) nose_tip: f32,
    pub(crate) nose_height: f32,
    pub(crate) nose_hump: f32,
    pub(crate) nose_upturn: f32,
    pub(crate) mouth_drop: f32,
    pub(crate) mouth_width: f32,
    pub(crate) upper_lip: f32,
    pub(crate) lower_lip: f32,
    pub(crate) cupid: f32,
    pub(crate) lip_colour: f32,
    pub(crate) mouth_corner: f32,
    pub(crate) philtrum: f32,
    pub(crate) ear: f32,
    pub(crate) ear_out: f32,
    pub(crate) fold: f32,
    pub(crate) eye_bag: f32,
    pub(crate) wrinkle: f32,
    pub(crate) freckles: f32,
    pub(crate) moles: Vec<[f32; 3]>,
    pub(crate) blush: f32,
    pub(crate) asymmetry: [f32; 4],
    pub(crate) glasses: Option<Glasses>,
    pub(crate) texture_seed: u64,
}

/// Spectacles that a person always wears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Glasses {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) roundness: f32,
    pub(crate) rim: f32,
    pub(crate) colour: [f32; 3],
}

/// A roughly normal number from twelve uniform ones would need a table of its own; three are enough for a bell within +-1.
fn bell(rng: &mut impl Rng) -> f32 {
    (rng.random::<f32>() + rng.random::<f32>() + rng.random::<f32>()) / 1.5 - 1.0
}

/// Uniform and bell shaped mixed: extremes are what tells people apart.
fn spread(rng: &mut impl Rng) -> f32 {
    0.6 * rng.random_range(-1.0..1.0f32) + 0.55 * bell(rng)
}

const IRISES: [[f32; 3]; 6] = [
    [0.20, 0.11, 0.06],
    [0.32, 0.19, 0.09],
    [0.38, 0.30, 0.15],
    [0.30, 0.37, 0.24],
    [0.30, 0.42, 0.55],
    [0.42, 0.47, 0.50],
];

const HAIR: [[f32; 3]; 9] = [
    [0.055, 0.045, 0.045],
    [0.11, 0.075, 0.055],
    [0.19, 0.12, 0.075],
    [0.29, 0.18, 0.10],
    [0.42, 0.28, 0.15],
    [0.62, 0.46, 0.25],
    [0.74, 0.61, 0.40],
    [0.45, 0.17, 0.07],
    [0.62, 0.61, 0.60],
];

impl Person {
    /// The `index`th person of the family `seed`.
    #[must_use]
    pub fn from_seed(seed: u64, index: u64) -> Self {
        let mut rng =
            ChaCha8Rng::seed_from_u64(seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let r = &mut rng;
        let sex = if r.random_bool(0.5) { Sex::Female } else { Sex::Male };
        let age = [AgeBand::Young, AgeBand::Middle, AgeBand::Older][r.random_range(0..3)];
        let male = f32::from(u8::from(sex == Sex::Male));
        let years = match age {
            AgeBand::Young => 0.0,
            AgeBand::Middle => 0.45,
            AgeBand::Older => 1.0,
        };
        let monk_tone: u8 = r.random_range(1..=10);
        let mut hair =
            [HairStyle::Cropped, HairStyle::Short, HairStyle::Bob, HairStyle::Long, HairStyle::TiedBack]
                [if sex == Sex::Male { r.random_range(0..2) } else { r.random_range(1..5) }];
        if sex == Sex::Male && r.random_bool(0.10 + 0.25 * f64::from(years)) {
            hair = HairStyle::Bald;
        } else if monk_tone >= 7 && r.random_bool(0.35) {
            hair = HairStyle::Afro;
        }
        // Darker skins go with darker hair; grey comes with age. Fair hair on dark skin would be a giveaway of the generator.
        let lightest = match monk_tone {
            1..=3 => 8,
            4..=5 => 5,
            _ => 3,
        };
        let mut hair_colour = HAIR[r.random_range(0..lightest)];
        if age == AgeBand::Older && r.random_bool(0.65) {
            let grey = r.random_range(0.5..1.0f32);
            for (own, white) in hair_colour.iter_mut().zip(HAIR[8]) {
                *own += (white - *own) * grey;
            }
        }
        let facial_hair = if sex == Sex::Male {
            [
                FacialHair::None,
                FacialHair::None,
                FacialHair::Stubble,
                FacialHair::Moustache,
                FacialHair::Goatee,
                FacialHair::Full,
            ][r.random_range(0..6)]
        } else {
            FacialHair::None
        };
        let irises = if monk_tone <= 4 { 6 } else { 3 };
        let iris = IRISES[r.random_range(0..irises)];
        let moles = (0..r.random_range(0..4u32))
            .map(|_| [r.random_range(-0.8..0.8), r.random_range(-0.6..1.2), r.random_range(0.012..0.03)])
            .collect();
        let glasses = r.random_bool(0.10).then(|| Glasses {
            width: r.random_range(0.36..0.44),
            height: r.random_range(0.20..0.33),
            roundness: r.random_range(2.0..5.0),
            rim: r.random_range(0.014..0.035),
            colour: [[0.08, 0.08, 0.09], [0.35, 0.22, 0.12], [0.5, 0.5, 0.52]][r.random_range(0..3)],
        });
        Self {
            seed,
            index,
            sex,
            age,
            monk_tone,
            skin_shift: [0.05 * spread(r), 0.04 * spread(r), 0.03 * spread(r)],
            hair,
            hair_colour,
            hairline: -0.80 - 0.16 * spread(r) - 0.10 * years * male * r.random::<f32>(),
            hairline_peak: 0.10 * spread(r),
            parting: spread(r),
            hair_volume: 1.0 + 0.5 * spread(r),
            facial_hair,
            beard_density: r.random_range(0.55..1.0),
            cranium: 0.93 + 0.07 * spread(r),
            forehead: 0.93 + 0.07 * spread(r),
            cheek: 1.0 + 0.08 * spread(r),
            jaw: 0.78 + 0.05 * male + 0.12 * spread(r),
            jaw_height: 0.90 + 0.10 * spread(r),
            chin_width: 0.30 + 0.05 * male + 0.11 * spread(r),
            chin: 1.43 + 0.04 * male + 0.15 * spread(r),
            chin_depth: 0.10 + 0.09 * spread(r),
            cheekbone: 0.06 + 0.07 * spread(r),
            cheek_hollow: 0.05 * spread(r) + 0.02 * years,
            brow_ridge: 0.05 + 0.04 * male + 0.05 * spread(r),
            brow_height: 0.285 - 0.03 * male + 0.07 * spread(r),
            brow_arch: 0.05 - 0.02 * male + 0.055 * spread(r),
            brow_tilt: 0.07 * spread(r),
            brow_length: 0.36 + 0.06 * spread(r),
            brow_thickness: 0.048 + 0.014 * male + 0.028 * spread(r),
            brow_density: r.random_range(0.45..1.0),
            eye_gap: 0.43 + 0.055 * spread(r),
            eye_width: 0.205 + 0.035 * spread(r),
            eye_open: 0.078 + 0.03 * spread(r),
            eye_tilt: 0.11 * spread(r),
            eye_depth: 0.10 + 0.06 * spread(r),
            lid_crease: 0.045 + 0.035 * spread(r),
            lash: 0.45 - 0.2 * male + 0.25 * r.random::<f32>(),
            iris,
            nose_length: 0.66 + 0.11 * spread(r),
            nose_bridge: 0.095 + 0.03 * spread(r),
            nose_width: 0.245 + 0.07 * spread(r),
            nose_tip: 0.125 + 0.035 * spread(r),
            nose_height: 0.34 + 0.10 * spread(r),
            nose_hump: 0.05 * spread(r),
            nose_upturn: 0.05 * spread(r),
            mouth_drop: 0.31 + 0.06 * spread(r),
            mouth_width: 0.37 + 0.08 * spread(r),
            upper_lip: 0.062 + 0.032 * spread(r) - 0.012 * years,
            lower_lip: 0.085 + 0.036 * spread(r) - 0.012 * years,
            cupid: 0.02 + 0.02 * spread(r),
            lip_colour: 0.5 - 0.25 * male + 0.4 * spread(r),
            mouth_corner: 0.03 * spread(r),
            philtrum: r.random(),
            ear: 0.26 + 0.05 * spread(r),
            ear_out: 0.07 + 0.05 * spread(r),
            fold: (0.15 + 0.5 * years + 0.25 * spread(r)).max(0.0),
            eye_bag: (0.15 + 0.4 * years + 0.3 * spread(r)).max(0.0),
            wrinkle: (years - 0.2).max(0.0) * r.random_range(0.5..1.0f32),
            freckles: if monk_tone <= 4 && r.random_bool(0.25) { r.random_range(0.3..1.0) } else { 0.0 },
            moles,
            blush: r.random_range(0.1..1.0),
            asymmetry: [0.018 * spread(r), 0.015 * spread(r), 0.02 * spread(r), 0.02 * spread(r)],
            glasses,
            texture_seed: r.random(),
        }
    }
}
