//! The shape of a face: its outline, and a height field over it.
use crate::{capture::Capture, person::Person};

/// Samples per face unit of the height grid.
const PER_UNIT: f32 = 72.0;
const LEFT: f32 = -1.5;
const TOP: f32 = -1.7;
const COLUMNS: usize = 216;
const ROWS: usize = 260;

/// A face's height towards the viewer, in face units, on a regular grid.
pub(crate) struct Surface {
    heights: Vec<f32>,
    outline: Vec<f32>,
}

/// Straight lines through points that rise in their first member; level before and after.
fn polyline(points: &[(f32, f32)], at: f32) -> f32 {
    let mut before: Option<(f32, f32)> = None;
    for &(x, y) in points {
        if at < x {
            return before.map_or(y, |(x0, y0)| y0 + (y - y0) * (at - x0) / (x - x0));
        }
        before = Some((x, y));
    }
    before.map_or(0.0, |(_, y)| y)
}

fn bump(u: f32, v: f32, at: (f32, f32), size: (f32, f32)) -> f32 {
    let (x, y) = ((u - at.0) / size.0, (v - at.1) / size.1);
    (-(x * x + y * y)).exp()
}

impl Person {
    pub(crate) fn crown(&self) -> f32 {
        -1.22 - 0.5 * (1.0 - self.cranium)
    }

    /// Where the mouth line lies.
    pub(crate) fn mouth_v(&self) -> f32 {
        self.nose_length + self.mouth_drop
    }
}

/// Half the width of the head on every row of the grid; 0 above the crown and below the chin.
fn outline(person: &Person, drop: f32) -> Vec<f32> {
    let (crown, chin) = (person.crown(), person.chin + drop);
    let knots = [
        (-0.9, person.forehead * 0.97),
        (-0.25, person.cranium * 1.02),
        (0.25, person.cheek),
        (person.jaw_height * 0.62 + 0.12, 0.5 * (person.cheek * 0.96 + person.jaw * 1.06)),
        (person.jaw_height, person.jaw),
        (chin - 0.06, person.chin_width * 1.25),
        (chin, person.chin_width),
    ];
    let mut body: Vec<f32> = (0..ROWS).map(|row| polyline(&knots, height_of(row))).collect();
    // Three box filters are nearly a Gaussian: no kink is left that light would show as a ridge.
    for _ in 0..3 {
        body = smoothed(&body, 8);
    }
    // Elliptic caps at both ends.
    for (row, half) in body.iter_mut().enumerate() {
        let v = height_of(row);
        let cap = if v <= crown || v >= chin {
            0.0
        } else if v < -0.35 {
            (1.0 - ((v + 0.35) / (crown + 0.35)).powf(2.6)).max(0.0).sqrt()
        } else if v > chin - 0.22 {
            (1.0 - ((v - chin + 0.22) / 0.22).powf(2.4)).max(0.0).sqrt()
        } else {
            1.0
        };
        *half *= cap;
    }
    body
}

fn height_of(row: usize) -> f32 {
    TOP + row as f32 / PER_UNIT
}

/// Each value replaced by the mean of those at most `reach` away.
fn smoothed(values: &[f32], reach: usize) -> Vec<f32> {
    (0..values.len())
        .map(|at| {
            let near = &values[at.saturating_sub(reach)..(at + reach + 1).min(values.len())];
            near.iter().sum::<f32>() / near.len() as f32
        })
        .collect()
}

impl Surface {
    /// Builds the height field of a person in one capture (the mouth opens, brows move).
    pub(crate) fn of(person: &Person, capture: &Capture) -> Self {
        let drop = capture.jaw_drop();
        let outline = outline(person, drop);
        let mut heights = vec![-1.0f32; COLUMNS * ROWS];
        for (row, (line, &half)) in heights.chunks_exact_mut(COLUMNS).zip(&outline).enumerate() {
            if half <= 0.0 {
                continue;
            }
            let v = height_of(row);
            for (column, height) in line.iter_mut().enumerate() {
                let u = LEFT + column as f32 / PER_UNIT;
                let across = u / half;
                if across.abs() < 1.0 {
                    // A superellipse: flatter in front than a sphere, steep at the sides.
                    let round = (1.0 - across.abs().powf(2.3)).powf(0.5);
                    *height = 0.80 * half.powf(0.6) * round + features(person, capture, u, v);
                }
            }
        }
        Self { heights, outline }
    }

    /// Height at `(u, v)` by bilinear interpolation; -1 outside the head.
    pub(crate) fn height(&self, u: f32, v: f32) -> f32 {
        let (x, y) = ((u - LEFT) * PER_UNIT, (v - TOP) * PER_UNIT);
        if x < 0.0 || y < 0.0 || x >= (COLUMNS - 1) as f32 || y >= (ROWS - 1) as f32 {
            return -1.0;
        }
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let at = |dx: usize, dy: usize| self.heights[(row + dy) * COLUMNS + column + dx];
        let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
        let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
        upper + (lower - upper) * fy
    }

    /// Half width of the head at `v`.
    pub(crate) fn half_width(&self, v: f32) -> f32 {
        let y = (v - TOP) * PER_UNIT;
        if y < 0.0 || y >= (ROWS - 1) as f32 {
            return 0.0;
        }
        let row = y as usize;
        self.outline[row] + (self.outline[row + 1] - self.outline[row]) * (y - row as f32)
    }

    /// Unit normal at `(u, v)`: x to the right, y down, z to the viewer.
    pub(crate) fn normal(&self, u: f32, v: f32) -> [f32; 3] {
        let step = 1.6 / PER_UNIT;
        let dx = (self.height(u + step, v) - self.height(u - step, v)) / (2.0 * step);
        let dy = (self.height(u, v + step) - self.height(u, v - step)) / (2.0 * step);
        let (dx, dy) = (dx.clamp(-4.0, 4.0), dy.clamp(-4.0, 4.0));
        let length = (dx * dx + dy * dy + 1.0).sqrt();
        [-dx / length, -dy / length, 1.0 / length]
    }
}

/// What stands out from, or lies below, the bare head.
fn features(p: &Person, capture: &Capture, u: f32, v: f32) -> f32 {
    let side = u.abs();
    let smile = capture.smile;
    let mouth = p.mouth_v();
    let mut z = 0.0;
    // Brow ridge and eye sockets.
    z += p.brow_ridge * bump(side, v, (p.eye_gap * 0.9, -p.brow_height * 0.75), (0.34, 0.12));
    z -= p.eye_depth * bump(side, v, (p.eye_gap * 0.96, 0.0), (0.26, 0.16));
    z += 0.075 * bump(side, v, (p.eye_gap, 0.0), (0.15, 0.10));
    z -= 0.05 * p.eye_bag * bump(side, v, (p.eye_gap, 0.20), (0.16, 0.035));
    // Nose: a ridge that rises from bridge to tip, wings beside the tip.
    if v > -0.45 && v < p.nose_length + 0.2 {
        let along = ((v + 0.12) / (p.nose_length + 0.12)).clamp(0.0, 1.0);
        let width = p.nose_bridge + (p.nose_tip - p.nose_bridge) * along;
        let rise = 0.30 * p.nose_height
            + 0.78 * p.nose_height * along.powf(1.15)
            + p.nose_hump * (along * std::f32::consts::PI).sin();
        let end = 1.0 / (1.0 + ((v - p.nose_length + 0.035) / 0.028).exp());
        let start = 1.0 / (1.0 + ((-0.14 - v) / 0.07).exp());
        z += rise * end * start * (-(u / (width * 1.15)).powi(2)).exp();
        z += (0.06 + p.nose_upturn) * bump(u, v, (0.0, p.nose_length - 0.07), (p.nose_tip * 1.1, 0.09));
        z += 0.14 * bump(side, v, (p.nose_width * 0.74, p.nose_length - 0.045), (p.nose_width * 0.33, 0.085));
    }
    // Cheeks, hollows, folds.
    z += p.cheekbone * bump(side, v, (0.62, 0.34), (0.25, 0.16));
    z += 0.05 * smile * bump(side, v, (0.52, 0.55), (0.20, 0.16));
    z -= p.cheek_hollow * bump(side, v, (0.60, 0.80), (0.18, 0.22));
    let along = ((v - p.nose_length + 0.05) / (mouth - p.nose_length + 0.17)).clamp(0.0, 1.2);
    let fold = p.nose_width * 1.05 + (p.mouth_width * (1.12 + 0.1 * smile) - p.nose_width * 1.05) * along;
    if v > p.nose_length - 0.08 && v < mouth + 0.12 {
        z -= 0.05 * (p.fold + 0.6 * smile).min(1.3) * (-((side - fold) / 0.045).powi(2)).exp();
    }
    // Lips, the dip below them, chin, philtrum.
    let half = p.mouth_width * (1.0 + 0.14 * smile);
    let taper = (1.0 - (u / half).powi(2)).max(0.0);
    z += 0.5 * p.upper_lip * taper * (-((v - mouth + p.upper_lip * 0.55) / 0.055).powi(2)).exp();
    z += 0.55 * p.lower_lip * taper * (-((v - mouth - p.lower_lip * 0.6) / 0.06).powi(2)).exp();
    z -= 0.05 * taper * (-((v - mouth) / 0.018).powi(2)).exp();
    z += 0.05 * bump(u, v, (0.0, mouth), (0.40, 0.26));
    z -= 0.06 * bump(u, v, (0.0, mouth + p.lower_lip + 0.10), (0.26, 0.05));
    z += p.chin_depth * bump(u, v, (0.0, p.chin - 0.17), (p.chin_width * 0.95, 0.14));
    z -= 0.035 * p.philtrum * bump(u, v, (0.0, 0.5 * (p.nose_length + mouth) - 0.01), (0.035, 0.09));
    // Lines of the forehead.
    if p.wrinkle > 0.0 && v < -0.35 {
        let waves = ((v * 34.0).sin() * 0.5 + 0.5).powi(4);
        z -= 0.010 * p.wrinkle * waves * (-(u / 0.55).powi(2)).exp() * (-((v + 0.58) / 0.16).powi(2)).exp();
    }
    z
}
