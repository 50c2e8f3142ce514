//! With which operating point each pool is searched, and what its similarities mean.
//!
//! A threshold is taken only from an approved operating point in force for the pool's algorithm and kind, the purpose, and the
//! pool's size of today. A rank list needs none; it is told what its similarities mean when some operating point says so.
use std::sync::Arc;

use super::{Decided, SearchAnswer};
use crate::{
    points::{DEMONSTRATION, Kept, Meaning, Shipped, State, percent},
    pool::Pool,
    service::{Context, Engine, Refusal, Service, case::Case, fields::Fields},
};

/// Whether a list is a rank list, or ends at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMode {
    /// A rank list of bounded length without a threshold (FRTE: T = 0).
    Investigation,
    /// Only candidates at or above the threshold of an operating point (FRTE: T > 0).
    Identification,
}

impl SearchMode {
    /// The name in the audit log.
    pub fn code(self) -> &'static str {
        match self {
            SearchMode::Investigation => "investigation",
            SearchMode::Identification => "identification",
        }
    }
}

impl SearchAnswer {
    /// What the mode means for reading the list, in words.
    pub fn mode_meaning(&self) -> String {
        match self.mode {
            SearchMode::Investigation => {
                let mut text =
                    "investigation: a rank list without a threshold. Somebody is always at its top, \
                    also when the person is not enrolled; a trained person must compare every candidate"
                        .to_owned();
                if self.candidates.iter().any(|found| found.meaning.demonstration) {
                    text.push_str(&format!(". What its similarities mean is a {DEMONSTRATION}"));
                }
                text
            }
            SearchMode::Identification => {
                let mut text = "identification: only candidates at or above the threshold of an approved operating point. An \
                    empty list does not mean that the person is not enrolled, and a candidate is still intelligence, not an \
                    identification"
                    .to_owned();
                let rates = self.points.iter().map(|(pool, kept)| {
                    let (fpir, fnir) = (&kept.point.fpir, &kept.point.fnir);
                    format!(
                        "; in `{pool}`, {} of searches for people who are not enrolled return somebody, and {} of those for people who \
                         are enrolled miss them (measured with {} images)",
                        percent(fpir.rate),
                        percent(fnir.rate),
                        kept.point.size_for(kept.point.applies_to.gallery_to).map_or(0, |size| size.references)
                    )
                });
                text.extend(rates);
                if self.points.iter().any(|(_, kept)| kept.point.demonstration_only) {
                    text.push_str(&format!(". {DEMONSTRATION}"));
                }
                text
            }
        }
    }
}

/// The mode as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModeAsked {
    /// Absent: investigation, unless one of the others is there.
    pub mode: Option<SearchMode>,
    /// Id of an operating point, or empty.
    pub operating_point: String,
    /// A threshold.
    pub threshold: Option<f64>,
}

impl ModeAsked {
    /// Which mode is meant.
    pub(super) fn check(&self, fields: &mut Fields) -> SearchMode {
        let named = !self.operating_point.is_empty() || self.threshold.is_some();
        if self.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            fields.wrong("`threshold` is not a number");
        }
        match self.mode {
            Some(SearchMode::Investigation) if named => {
                fields.wrong(
                    "`mode` is investigation, which has no threshold; leave `threshold` and `operating_point` out, or ask for identification",
                );
                SearchMode::Investigation
            }
            Some(mode) => mode,
            None if named => SearchMode::Identification,
            None => SearchMode::Investigation,
        }
    }
}

/// The operating points of one search, in the order of its pools.
pub(super) struct Points {
    pub(super) mode: SearchMode,
    /// The algorithm of all of them.
    pub(super) engine: Arc<Engine>,
    points: Vec<Option<Arc<Kept>>>,
    /// What came with the program, for rank lists that no approved record covers.
    shipped: Vec<Option<Arc<Shipped>>>,
}

impl Points {
    /// The similarity below which nothing of this pool is shown.
    pub(super) fn floor(&self, at: usize) -> Option<f64> {
        match self.mode {
            SearchMode::Investigation => None,
            // INVARIANT: in identification every pool that is searched has a point; without one, nothing would be shown.
            SearchMode::Identification => {
                Some(self.points.get(at)?.as_ref().map_or(f64::INFINITY, |kept| kept.point.threshold))
            }
        }
    }

    /// Refuses a pool that grew, or shrank, out of its operating point's range while it was searched.
    pub(super) fn still_fits(&self, at: usize, gallery: u64) -> Result<(), Refusal> {
        match (self.mode, self.points.get(at)) {
            (SearchMode::Identification, Some(Some(kept))) => misfit_of_size(kept, gallery)
                .map_or(Ok(()), |why| Err(no_point(&[format!("{}: {why}", kept.id)]))),
            _ => Ok(()),
        }
    }

    /// What a similarity found in this pool means.
    pub(super) fn meaning(&self, at: usize, similarity: f64, gallery: u64) -> Meaning {
        match (self.points.get(at), self.shipped.get(at)) {
            (Some(Some(kept)), _) => kept.point.meaning(&kept.id, similarity, gallery),
            (_, Some(Some(shipped))) => {
                Meaning { approved: false, ..shipped.point.meaning(&shipped.id, similarity, gallery) }
            }
            _ => Meaning::unknown(gallery),
        }
    }

    /// The operating points that decided what is shown.
    pub(super) fn used(&self, decided: &[Decided]) -> Vec<(String, Arc<Kept>)> {
        if self.mode == SearchMode::Investigation {
            return Vec::new();
        }
        let named = decided.iter().zip(&self.points);
        named.filter_map(|(pool, kept)| Some((pool.name.clone(), kept.clone()?))).collect()
    }
}

impl Service {
    /// Finds the operating point of each admitted pool.
    pub(super) fn points_for(
        &self,
        case: &mut Case<'_>,
        context: &Context,
        asked: &ModeAsked,
        mode: SearchMode,
        decided: &[Decided],
    ) -> Result<Points, Refusal> {
        let named = match asked.operating_point.as_str() {
            "" => None,
            id => Some(self.point(id)?),
        };
        let engine = self.one_engine(decided)?;
        let (mut points, mut shipped) =
            (Vec::with_capacity(decided.len()), Vec::with_capacity(decided.len()));
        for pool in decided {
            let decided = pool;
            let Ok((pool, permit)) = &decided.admitted else {
                points.push(None);
                shipped.push(None);
                continue;
            };
            shipped.push(self.shipped_for(pool, context, mode));
            let reader = decided.reader(pool, permit)?;
            if mode == SearchMode::Identification {
                super::refuse_approximate(&reader)?;
            }
            let gallery = reader.gallery_size()?;
            let offered = named.clone().map_or_else(|| self.points.all(), |kept| vec![kept]);
            points.push(match mode {
                SearchMode::Investigation => self.for_meaning(pool, context, gallery, &offered),
                SearchMode::Identification => {
                    Some(self.for_threshold(pool, context, gallery, asked.threshold, &offered)?)
                }
            });
        }
        let points = Points { mode, engine, points, shipped };
        let used = points.used(decided);
        if !used.is_empty() {
            let list = |say: fn(&Kept) -> String| {
                used.iter().map(|(pool, kept)| format!("{pool}={}", say(kept))).collect::<Vec<_>>().join(" ")
            };
            case.note("operating_point", list(|kept| kept.id.to_string()));
            case.note("threshold", list(|kept| format!("{:.6}", kept.point.threshold)));
            if used.iter().any(|(_, kept)| kept.point.demonstration_only) {
                case.note("demonstration", "measured on synthetic images; not for operational use");
            }
        }
        Ok(points)
    }

    /// The algorithm that the admitted pools are searched with. Similarities of different ones do not compare, so a list over
    /// both would be a lie.
    fn one_engine(&self, decided: &[Decided]) -> Result<Arc<Engine>, Refusal> {
        let mut pools = decided.iter().filter_map(|pool| pool.admitted.as_ref().ok());
        let Some((first, _)) = pools.next() else { return Ok(Arc::clone(&self.engine)) };
        let engine = self.engine_of(first)?;
        match pools.find(|(pool, _)| pool.space() != engine.space()) {
            None => Ok(engine),
            Some((other, _)) => Err(Refusal::invalid(
                "different_algorithms",
                format!(
                    "the pools `{}` and `{}` are searched with different algorithms, whose similarities do not compare; search them one \
                     by one",
                    first.definition().name,
                    other.definition().name
                ),
            )),
        }
    }

    /// The newest one in force that fits; which of the others nearly did is said in the refusal.
    fn for_threshold(
        &self,
        pool: &Pool,
        context: &Context,
        gallery: u64,
        threshold: Option<f64>,
        offered: &[Arc<Kept>],
    ) -> Result<Arc<Kept>, Refusal> {
        let mut misfits = Vec::new();
        let mut fitting: Vec<&Arc<Kept>> = Vec::new();
        for kept in offered {
            let why = self
                .misfit(kept, pool, context)
                .or_else(|| misfit_of_size(kept, gallery))
                .or_else(|| misfit_of_threshold(kept, threshold));
            match why {
                None => fitting.push(kept),
                Some(why) => misfits.push(format!("{}: {why}", kept.id)),
            }
        }
        fitting.into_iter().max_by_key(|kept| (kept.approval.at, kept.id.clone())).cloned().ok_or_else(|| {
            // The latest are the likeliest to be meant; ids are not in the order of time, so the list is only bounded.
            misfits.truncate(5);
            no_point(&misfits)
        })
    }

    /// Whatever covers algorithm, kind and purpose; the one with the largest gallery says most about this one.
    fn for_meaning(
        &self,
        pool: &Pool,
        context: &Context,
        gallery: u64,
        offered: &[Arc<Kept>],
    ) -> Option<Arc<Kept>> {
        let covering = offered.iter().filter(|kept| self.misfit(kept, pool, context).is_none());
        covering
            .max_by_key(|kept| (kept.point.size_for(gallery).is_some(), kept.approval.at, kept.id.clone()))
            .cloned()
    }

    /// What came with the program, for a rank list of this kind of pool and purpose.
    fn shipped_for(&self, pool: &Pool, context: &Context, mode: SearchMode) -> Option<Arc<Shipped>> {
        let found = self.points.demonstration(self.clock.now(), &pool.space().to_string())?;
        let applies = &found.point.applies_to;
        let covers = applies.pool_kinds.contains(&pool.definition().kind)
            && applies.use_cases.contains(context.purpose.code());
        (mode == SearchMode::Investigation && covers).then_some(found)
    }

    fn misfit(&self, kept: &Kept, pool: &Pool, context: &Context) -> Option<String> {
        let definition = pool.definition();
        let applies = &kept.point.applies_to;
        match kept.state(self.situation(&pool.space().to_string())) {
            State::InForce => {}
            State::Expired => return Some(format!("its last day was {}", kept.point.expires_on)),
            State::Revoked => return Some("it is revoked".to_owned()),
            State::DemonstrationNotAllowed => {
                return Some(
                    "it was measured on synthetic images and is not for operational use until you calibrate on your own".to_owned(),
                );
            }
            State::OtherAlgorithm => {
                return Some("it was measured with another algorithm than the pool's".to_owned());
            }
        }
        if !applies.pool_kinds.contains(&definition.kind) {
            return Some(format!("it is not for `{}` pools", definition.kind));
        }
        (!applies.use_cases.contains(context.purpose.code()))
            .then(|| format!("it is not for the purpose `{}`", context.purpose))
    }
}

fn misfit_of_size(kept: &Kept, gallery: u64) -> Option<String> {
    let applies = &kept.point.applies_to;
    (!(applies.gallery_from..=applies.gallery_to).contains(&gallery)).then(|| {
        format!(
            "it holds for {} to {} searchable images, the pool has {gallery}",
            applies.gallery_from, applies.gallery_to
        )
    })
}

/// Exactly equal: a threshold that is nearly the approved one was not approved.
fn misfit_of_threshold(kept: &Kept, threshold: Option<f64>) -> Option<String> {
    let asked = threshold?;
    (kept.point.threshold != asked).then(|| format!("its threshold is {}, not {asked}", kept.point.threshold))
}

fn no_point(misfits: &[String]) -> Refusal {
    let known = if misfits.is_empty() {
        "none is approved".to_owned()
    } else {
        format!("of those approved, none fits: {}", misfits.join("; "))
    };
    Refusal::invalid(
        "no_operating_point",
        format!(
            "a threshold needs an approved operating point for this algorithm, kind of pool, purpose and gallery size; {known}. \
             Measure one with `likeness-bench identify`, sign it with `likeness calibrate`, have it approved with `likeness \
             operating-point approve`; or search in investigation mode, which has no threshold"
        ),
    )
}
