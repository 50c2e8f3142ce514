//! Seeded templates that are distributed like those of faces, not like noise.
//!
//! A template is the sum of a *group* part (people of one group look more alike: 64 groups), the *person's* part
//! and a *capture's* part, scaled to one length. The weights are chosen so that similarities lie where face models put
//! them: two captures of one person near a cosine of 0.75, two persons of one group near 0.25, others near 0.
//! Directions count unequally, as those of trained embedders do: the standard deviation falls with the 0.35th power of
//! the rank, so that strangers spread more widely than noise of the same dimension would, and some come close.
//! Every second person has one reference, the others two or three: 1.75 on average.
//!
//! Galleries of up to 128 dimensions are Euclidean, like the default model pack: captures of one person about 0.4 apart,
//! strangers 0.8, all of them around a point that is not the origin. Larger ones are compared by cosine.

use std::ops::Range;
use std::sync::Arc;

use likeness_matcher::embed::{Embedding, EmbeddingError};
use likeness_models::{Metric, SpaceId};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const GROUPS: u64 = 64;
const GROUP: f32 = 0.5;
const PERSON: f32 = 0.707;
const CAPTURE: f32 = 0.5;

/// How the spread of directions falls with their rank.
const SPECTRUM: f32 = -0.35;

/// Length of a Euclidean template, measured from the point that all lie around.
const EUCLIDEAN_LENGTH: f64 = 0.57;

/// That point: every coordinate is this far from 0, every second one on the other side.
const EUCLIDEAN_OFFSET: f32 = 0.1;

/// Galleries of more dimensions are compared by cosine.
const MOST_EUCLIDEAN: usize = 128;

/// References made at a time; each thread makes a part of them.
const BLOCK: u64 = 20_000;

/// A made-up population: any template can be made at any time from its number.
#[derive(Clone, Debug)]
pub struct Gallery {
    seed: u64,
    weights: Arc<[f32]>,
    /// The point that all templates lie around.
    centre: Arc<[f32]>,
}

/// One reference of the population.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Whose it is.
    pub subject: u64,
    /// A unit vector when the metric is cosine.
    pub values: Vec<f32>,
}

impl Gallery {
    /// The population of a seed.
    #[must_use]
    pub fn new(seed: u64, dimension: usize) -> Self {
        let weights: Vec<f32> = (0..dimension).map(|rank| (rank as f32 + 8.0).powf(SPECTRUM)).collect();
        let mean_square = weights.iter().map(|weight| weight * weight).sum::<f32>() / dimension as f32;
        let weights: Arc<[f32]> = weights.into_iter().map(|weight| weight / mean_square.sqrt()).collect();
        let offset = if dimension <= MOST_EUCLIDEAN { EUCLIDEAN_OFFSET } else { 0.0 };
        let centre = (0..dimension).map(|at| if at % 2 == 0 { offset } else { -offset }).collect();
        Self { seed, weights, centre }
    }

    /// The same population around another point: the mean of real templates, say. For Euclidean galleries.
    #[must_use]
    pub fn around(mut self, centre: &[f32]) -> Self {
        self.centre = centre.into();
        self
    }

    /// Values per template.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.weights.len()
    }

    /// How its templates compare.
    #[must_use]
    pub fn metric(&self) -> Metric {
        if self.dimension() <= MOST_EUCLIDEAN { Metric::Euclidean } else { Metric::Cosine }
    }

    /// References `rows`, in order: consecutive ones of a subject are captures of one person.
    #[must_use]
    pub fn references(&self, rows: Range<u64>) -> Vec<Reference> {
        let mut part = Parts::default();
        rows.map(|row| {
            let (subject, capture) = whose(row);
            Reference { subject, values: self.template(&mut part, subject, capture) }
        })
        .collect()
    }

    /// Makes references on all cores and hands them over in order: the first row's number, and some twenty thousand
    /// references at a time.
    ///
    /// # Errors
    /// What `take` returns.
    pub fn each_block(
        &self,
        rows: Range<u64>,
        mut take: impl FnMut(u64, &[Reference]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for first in rows.clone().step_by(BLOCK as usize) {
            let end = (first + BLOCK).min(rows.end);
            let starts: Vec<u64> = (first..end).step_by(1000).collect();
            let parts: Vec<Vec<Reference>> =
                starts.into_par_iter().map(|start| self.references(start..(start + 1000).min(end))).collect();
            take(first, &parts.concat())?;
        }
        Ok(())
    }

    /// Half mated and half not, by turns: captures of enrolled subjects that are not themselves enrolled, spread over
    /// the first `rows` references; and captures of people who are not enrolled at all. With each, whose it is.
    #[must_use]
    pub fn probes(&self, numbers: Range<u64>, rows: u64) -> Vec<(Vec<f32>, Option<u64>)> {
        let enrolled = subjects(rows).max(1);
        numbers
            .into_par_iter()
            .map(|number| {
                if number % 2 == 0 {
                    // A stride that shares no factor with the number of subjects in practice.
                    let subject = number.wrapping_mul(7_368_787) % enrolled;
                    (self.mated_probe(subject), Some(subject))
                } else {
                    (self.other_probe(number), None)
                }
            })
            .collect()
    }

    /// The first reference of a subject.
    #[must_use]
    pub fn reference_of(&self, subject: u64) -> Vec<f32> {
        self.template(&mut Parts::default(), subject, 0)
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
        let mut values: Vec<f32> = parts
            .mean
            .iter()
            .zip(capture)
            .zip(&self.weights[..])
            .map(|((mean, own), weight)| weight * (mean + CAPTURE * own))
            .collect();
        let length = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        let wanted = match self.metric() {
            Metric::Euclidean => EUCLIDEAN_LENGTH,
            Metric::Cosine => 1.0,
        };
        for (value, centre) in values.iter_mut().zip(&self.centre[..]) {
            #[expect(clippy::cast_possible_truncation, reason = "templates are f32")]
            let scaled = (f64::from(*value) / length * wanted) as f32;
            *value = scaled + centre;
        }
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
        let scale = 1.0 / (4.0 * 65_535.0 / 12.0 * self.dimension() as f32).sqrt();
        (0..self.dimension()).map(move |_| {
            let sum: u16 = random.next_u32().to_le_bytes().into_iter().map(u16::from).sum();
            (f32::from(sum) - 510.0) * scale
        })
    }
}

/// The space of made-up templates.
///
/// # Errors
/// Never in practice: the text is a valid digest.
pub fn space() -> anyhow::Result<SpaceId> {
    Ok("be".repeat(32).parse()?)
}

/// A made-up template as an embedding.
///
/// # Errors
/// [`EmbeddingError`] for values that are not finite, which a gallery does not make.
pub fn embedding(space: SpaceId, values: Vec<f32>) -> Result<Embedding, EmbeddingError> {
    let dimension = values.len();
    Embedding::from_stored(space, values, dimension)
}

/// Parts shared by the captures of one subject, kept between neighbours.
#[derive(Default)]
struct Parts {
    subject: Option<u64>,
    mean: Vec<f32>,
}

/// Subject and capture number of a reference: subjects come in rounds of eight, with 1 2 1 3 1 2 1 3 references.
#[must_use]
pub fn whose(row: u64) -> (u64, u64) {
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
    fn euclidean_galleries_lie_where_the_default_pack_puts_faces() {
        let gallery = Gallery::new(7, 128);
        assert_eq!(gallery.metric(), Metric::Euclidean);
        let distance = |left: &[f32], right: &[f32]| {
            left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum::<f32>().sqrt()
        };
        let mean = |distances: Vec<f32>| distances.iter().sum::<f32>() / distances.len() as f32;
        let references = gallery.references(0..1400);
        let same = mean(
            references.iter().map(|one| distance(&one.values, &gallery.mated_probe(one.subject))).collect(),
        );
        let other = mean(
            (0..).zip(&references).map(|(n, one)| distance(&one.values, &gallery.other_probe(n))).collect(),
        );
        assert!((0.35..0.45).contains(&same), "mean distance of one person's captures is {same}");
        assert!((0.75..0.85).contains(&other), "mean distance of strangers is {other}");
    }

    #[test]
    fn blocks_are_the_references_in_order_and_probes_alternate() {
        let gallery = Gallery::new(7, 8);
        let mut seen = Vec::new();
        let taken = gallery.each_block(5..45_005, |first, block| {
            assert_eq!(first, 5 + seen.len() as u64);
            seen.extend(block.iter().map(|reference| reference.subject));
            Ok(())
        });
        assert!(taken.is_ok());
        let expected: Vec<u64> = (5..45_005).map(|row| whose(row).0).collect();
        assert_eq!(seen, expected);
        let probes = gallery.probes(0..10, 1000);
        assert!(probes.iter().enumerate().all(|(at, (_, mate))| mate.is_some() == (at % 2 == 0)));
    }

    #[test]
    fn a_reference_does_not_depend_on_its_neighbours() {
        let gallery = Gallery::new(7, 16);
        let all = gallery.references(0..40);
        assert_eq!(gallery.references(17..18)[0].values, all[17].values);
        assert_eq!(subjects(40), all[39].subject + 1);
    }
}
