//! How many applications each force received, and what became of them: exactly, or as it may be published.
use crate::{
    audit::Phase,
    authorise::Action,
    retention::application::ApplicationStatistics,
    service::{
        Answer, Asked, Rendered, Service, Unanswered,
        case::{named, touched},
        fields::Fields,
        retain::begin,
    },
};

/// The counts of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsAnswer {
    /// Exact, by force.
    pub statistics: ApplicationStatistics,
    /// Only what may be published was asked for.
    pub publishable: bool,
}

impl Service {
    /// Counts the applications of a pool by force, those of erased records among them.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn application_statistics<M>(
        &self,
        asked: Asked,
        pool: &str,
        publishable: bool,
        render: impl FnOnce(&StatisticsAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        case.note("publishable", publishable.to_string());
        let counted = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut fields = Fields::default();
            fields.text("pool", pool, 1, 64);
            fields.finish()?;
            let (pool, permit) = case.admit(&caller, pool, &context)?;
            let mut statistics = ApplicationStatistics::default();
            for tally in pool.application_tallies(&permit, self.today())? {
                statistics.add_tally(&tally);
            }
            Ok((pool, statistics))
        });
        match counted {
            Ok((pool, statistics)) => {
                let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
                case.answer(entry, None, render(&StatisticsAnswer { statistics, publishable }))
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }
}
