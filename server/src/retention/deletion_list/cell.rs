//! Cells of a CSV file that a spreadsheet would take for a formula and run.
//!
//! Such a cell gets an apostrophe in front, which spreadsheets read as "text follows" (OWASP, *CSV Injection*). What begins with
//! apostrophes before such a character gets one more, so that taking one away always gives back what was there.
use std::borrow::Cow;

/// Characters that start a formula in some spreadsheet, or that one throws away before it looks. The last four are the full-width
/// forms, which are formulas under East Asian settings.
const STARTS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

fn runs(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(STARTS)
}

/// The cell as it is written: with an apostrophe in front when a spreadsheet would run it.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if runs(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell that [`guarded`] wrote; other cells are what they say.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if runs(text) => text,
        _ => cell,
    }
}
