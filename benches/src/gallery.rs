//! Seeded templates that are distributed like those of faces, not like noise.
//!
//! A template is the sum of a *group* part (people of one group look more alike: 64 groups), the *person's* part
//! and a *capture's* part, scaled to unit length. The weights are chosen so that similarities lie where face models put
//! them: two captures of one person near a cosine of 0.75, two persons of one group near 0.25, others near 0.
//! Every second person has one reference, the others two or three: 1.75 on average.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const GROUPS: u64 = 64;
const GROUP: f32 = 0.5;
const PERSON: f32 = 0.707;
const CAPTURE: f32 = 0.5;

/// A made-up population: any template can be made at any time from its number.
#[derive(Clone, Copy, Debug)]
pub struct Gallery {
    seed: u64,
    dimension: usize,
}

/// One reference of the population.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Whose it is.
    pub subject: u64,
    /// Unit vector.
    pub values: Vec<f32>,
}

impl Gallery {
    /// The population of a seed.
    #[must_use]
    pub fn new(seed: u64, dimension: usize) -> Self {
        Self { seed, dimension }
    }

    /// References `rows`, in order: consecutive ones of a subject are captures of one person.
    #[must_use]
    pub fn references(&self, rows: std::ops::Range<u64>) -> Vec<Reference> {
        let mut part = Parts::default();
        rows.map(|row| {
            let (subject, capture) = whose(row);
            Reference { subject, values: self.template(&mut part, subject, capture) }
        })
        .collect()
    }

    /// A capture of an enrolled subject that is not itself enrolled.
    #[must_use]
    pub fn mated_probe(&self, subject: u64) -> Vec<f32> {
        self.template(&mut Parts::default(), subject, u64::from(u32::MAX))
    }

    /// A capture of somebody who is not enrolled.
    #[must_use]
    pub fn other_probe(&self, number: u64) -> Vec<f32> {
        self.template(&mut Parts::default(), u64::MAX / 2 + number, 0)
    }

    fn template(&self, parts: &mut Parts, subject: u64, capture: u64) -> Vec<f32> {
        if parts.subject != Some(subject) {
            parts.subject = Some(subject);
            let group = self.noise("group", subject.wrapping_mul(0x9E37_79B9_7F4A_7C15) % GROUPS, 0);
            let person = self.noise("person", subject, 0);
            parts.mean = group.zip(person).map(|(group, person)| GROUP * group + PERSON * person).collect();
        }
        let capture = self.noise("capture", subject, capture);
        let mut values: Vec<f32> =
            parts.mean.iter().zip(capture).map(|(mean, own)| mean + CAPTURE * own).collect();
        let length = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "templates are f32")]
        values.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        values
    }

    /// Independent values of mean 0 and variance `1 / dimension`, near normal: sums of four uniform bytes.
    fn noise(&self, what: &str, subject: u64, capture: u64) -> impl Iterator<Item = f32> + use<> {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&subject.to_le_bytes());
        key[16..24].copy_from_slice(&capture.to_le_bytes());
        key[24..24 + what.len()].copy_from_slice(what.as_bytes());
        let mut random = ChaCha8Rng::from_seed(key);
        // Each byte has variance (256^2 - 1) / 12; four of them, scaled.
        let scale = 1.0 / (4.0 * 65_535.0 / 12.0 * self.dimension as f32).sqrt();
        (0..self.dimension).map(move |_| {
            let sum: u16 = random.next_u32().to_le_bytes().into_iter().map(u16::from).sum();
            (f32::from(sum) - 510.0) * scale
        })
    }
}

/// Parts shared by the captures of one subject, kept between neighbours.
#[derive(Default)]
struct Parts {
    subject: Option<u64>,
    mean: Vec<f32>,
}

/// Subject and capture number of a reference: subjects come in rounds of eight, with 1 2 1 3 1 2 1 3 references.
fn whose(row: u64) -> (u64, u64) {
    const OF: [(u64, u64); 14] = [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
        (3, 0),
        (3, 1),
        (3, 2),
        (4, 0),
        (5, 0),
        (5, 1),
        (6, 0),
        (7, 0),
        (7, 1),
        (7, 2),
    ];
    #[expect(clippy::cast_possible_truncation, reason = "below 14")]
    let (subject, capture) = OF[(row % OF.len() as u64) as usize];
    (row / OF.len() as u64 * 8 + subject, capture)
}

/// How many subjects the first `rows` references have.
#[must_use]
pub fn subjects(rows: u64) -> u64 {
    if rows == 0 { 0 } else { whose(rows - 1).0 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(left: &[f32], right: &[f32]) -> f32 {
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    }

    #[test]
    fn captures_of_one_person_are_alike_and_persons_are_not() {
        let gallery = Gallery::new(7, 512);
        let references = gallery.references(0..1400);
        let mean = |similarities: Vec<f32>| similarities.iter().sum::<f32>() / similarities.len() as f32;
        let same = mean(
            references.iter().map(|one| cosine(&one.values, &gallery.mated_probe(one.subject))).collect(),
        );
        let other = mean(
            (0..).zip(&references).map(|(n, one)| cosine(&one.values, &gallery.other_probe(n))).collect(),
        );
        assert!((0.7..0.8).contains(&same), "mean similarity of one person's captures is {same}");
        assert!(other.abs() < 0.05, "mean similarity of strangers is {other}");
    }

    #[test]
    fn a_reference_does_not_depend_on_its_neighbours() {
        let gallery = Gallery::new(7, 16);
        let all = gallery.references(0..40);
        assert_eq!(gallery.references(17..18)[0].values, all[17].values);
        assert_eq!(subjects(40), all[39].subject + 1);
    }
}
