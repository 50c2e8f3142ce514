//! Skin tones and colour arithmetic. Colours are sRGB-like numbers from 0 to 1; shading multiplies them.
use crate::person::Person;

/// An RGB colour, 0 to 1.
pub(crate) type Colour = [f32; 3];

/// The ten swatches of the Monk Skin Tone scale (Monk, 2023; published as open swatches), as sRGB.
const MONK: [[u8; 3]; 10] = [
    [246, 237, 228],
    [243, 231, 219],
    [247, 234, 208],
    [234, 218, 186],
    [215, 189, 150],
    [160, 126, 86],
    [130, 92, 67],
    [96, 65, 52],
    [58, 49, 42],
    [41, 36, 32],
];

pub(crate) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    let share = share.clamp(0.0, 1.0);
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]
}

pub(crate) fn scale(a: Colour, by: f32) -> Colour {
    [a[0] * by, a[1] * by, a[2] * by]
}

/// The person's skin. The swatches are of lit skin on a screen; the palest and darkest are drawn in a little, as a camera's
/// exposure does.
pub(crate) fn skin(person: &Person) -> Colour {
    let [r, g, b] = MONK[usize::from(person.monk_tone.clamp(1, 10)) - 1].map(|part| f32::from(part) / 255.0);
    // Warmth that flat swatches lack: blood in pale skin, red-brown in dark skin.
    let warm = [r * 0.89 + 0.075, g * 0.83 + 0.045, b * 0.78 + 0.03];
    let [light, red, yellow] = person.skin_shift;
    [
        (warm[0] + light + red * 0.5 + yellow * 0.3).clamp(0.06, 0.96),
        (warm[1] + light - red * 0.3 + yellow * 0.2).clamp(0.05, 0.92),
        (warm[2] + light - red * 0.3 - yellow * 0.8).clamp(0.04, 0.90),
    ]
}
