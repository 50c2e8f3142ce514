//! What changes from picture to picture: pose, light, expression, camera.
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{degrade::Degradation, person::Person};

/// One capture of a person. Angles are in radians; positive yaw turns the face to the viewer's right, positive pitch looks down,
/// positive roll leans to the viewer's right.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Width of the picture, pixels.
    pub width: u32,
    /// Height of the picture, pixels.
    pub height: u32,
    /// Turn to the side, radians.
    pub yaw: f32,
    /// Nod, radians.
    pub pitch: f32,
    /// Lean, radians.
    pub roll: f32,
    /// Half the face's width as a share of the picture's width.
    pub face_share: f32,
    /// Offset of the face from the usual place, as a share of the picture's width.
    pub offset: [f32; 2],
    /// Direction the main light comes from: right, down, towards the viewer.
    pub light: [f32; 3],
    /// Share of light that comes from everywhere.
    pub ambient: f32,
    /// Overall brightness; 1 is well exposed.
    pub exposure: f32,
    /// Warmth of the light, -1 (blue) to 1 (yellow).
    pub warmth: f32,
    /// -0.5 (corners down) to 1 (broad smile).
    pub smile: f32,
    /// 0 (closed) to 1 (open).
    pub mouth_open: f32,
    /// Factor on how far the eyes are open.
    pub eyes_open: f32,
    /// Raised (positive) or drawn brows, face units.
    pub brow_raise: f32,
    /// Where the eyes look: right, down; -1 to 1.
    pub gaze: [f32; 2],
    /// Background colour, 0 to 1.
    pub background: [f32; 3],
    /// Colour of the clothes, 0 to 1.
    pub clothes: [f32; 3],
    /// What camera, distance and compression then do.
    pub degradation: Degradation,
    /// Seed of noise.
    pub noise_seed: u64,
}

impl Capture {
    fn rng(seed: u64, person: &Person, number: u32, salt: u64) -> ChaCha8Rng {
        let mixed = (seed ^ salt).wrapping_mul(0xd6e8_feb8_6659_fd93)
            ^ person.index.wrapping_mul(0xa24b_aed4_963e_e407)
            ^ (u64::from(number) << 40);
        ChaCha8Rng::seed_from_u64(mixed)
    }

    /// A cooperative portrait, as in a custody suite: nearly frontal, even light, calm face, 400 x 500 pixels.
    #[must_use]
    pub fn plain(seed: u64, person: &Person, number: u32) -> Self {
        let mut rng = Self::rng(seed, person, number, 0x706c_6169);
        Self::portrait(&mut rng, 0.6)
    }

    /// The scene of a CCTV camera before its camera: more pose from above, harder light, freer expression, and a degradation to match.
    #[must_use]
    pub fn cctv(seed: u64, person: &Person, number: u32) -> Self {
        let mut rng = Self::rng(seed, person, number, 0x6363_7476);
        let mut capture = Self::portrait(&mut rng, 1.15);
        capture.pitch = rng.random_range(0.0..0.14);
        capture.exposure = rng.random_range(0.75..1.0);
        capture.degradation = Degradation::cctv(&mut rng);
        capture
    }

    fn portrait(rng: &mut impl Rng, freedom: f32) -> Self {
        let mut within = |limit: f32| freedom * limit * (rng.random::<f32>() + rng.random::<f32>() - 1.0);
        let (yaw, pitch, roll) = (within(0.16), within(0.10), within(0.10));
        let offset = [within(0.03), within(0.03)];
        let light = [within(0.9), -0.45 + within(0.35), 1.0];
        let (ambient, exposure, warmth) = (0.50 + within(0.12), 1.0 + within(0.12), within(0.35));
        let (smile, brow_raise) = (0.10 + within(0.4), within(0.03));
        let eyes_open = 1.0 + within(0.18);
        let gaze = [within(0.25), within(0.15)];
        let mouth_open = within(0.35).max(0.0);
        let grey = 0.62 + within(0.25);
        let tint = [within(0.06), within(0.06), within(0.06)];
        let face_share = 0.255 + within(0.03);
        Self {
            width: 400,
            height: 500,
            yaw,
            pitch,
            roll,
            face_share,
            offset,
            light,
            ambient,
            exposure,
            warmth,
            smile,
            mouth_open,
            eyes_open,
            brow_raise,
            gaze,
            background: tint.map(|part| (grey + part).clamp(0.1, 0.95)),
            clothes: [rng.random_range(0.08..0.6), rng.random_range(0.08..0.6), rng.random_range(0.08..0.6)],
            degradation: Degradation::portrait(rng),
            noise_seed: rng.random(),
        }
    }

    /// How far the chin comes down when the mouth opens, face units.
    pub(crate) fn jaw_drop(&self) -> f32 {
        0.10 * self.mouth_open
    }
}
