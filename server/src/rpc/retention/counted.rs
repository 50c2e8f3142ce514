//! The numbers of a pool, as a message.
use likeness_proto::v1;

use crate::{
    retention::numbers::{Counts, Division},
    service::{NumbersAnswer, NumbersShown},
};

fn counts(counts: Counts) -> v1::RetentionCounts {
    v1::RetentionCounts { persons: counts.persons, images: counts.images, enrolled: counts.enrolled }
}

/// Every cell of every division in the order in which they are shown; those that are withheld without counts.
pub(super) fn numbers(answer: &NumbersAnswer) -> v1::GetRetentionNumbersResponse {
    let cell = |division: Division, cell: &str| match &answer.shown {
        NumbersShown::Exact(numbers) => Some(numbers.cell(division, cell)),
        NumbersShown::Published(numbers) => {
            numbers.divisions.get(division.code()).and_then(|cells| cells.get(cell)).copied().flatten()
        }
    };
    let (total, publishable) = match &answer.shown {
        NumbersShown::Exact(numbers) => (Some(numbers.total()), false),
        NumbersShown::Published(numbers) => (numbers.total, true),
    };
    let all = Division::ALL
        .into_iter()
        .flat_map(|division| division.cells().into_iter().map(move |cell| (division, cell)));
    let cells = all.map(|(division, name)| v1::RetentionCell {
        division: division.code().to_owned(),
        cell: name.to_owned(),
        counts: cell(division, name).map(counts),
    });
    v1::GetRetentionNumbersResponse {
        counted_on: answer.counted_on.to_string(),
        rules_digest: answer.rules.clone(),
        publishable,
        total: total.map(counts),
        cells: cells.collect(),
        receipt: None,
    }
}
