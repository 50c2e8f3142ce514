//! Makes text from files and servers safe to print: no cursor movement, no hidden direction changes.

/// `text` with control, bidirectional-override and invisible characters written as escapes.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if changes_the_view(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// [`plain`], and at most `limit` characters, with `…` where it was cut.
pub fn short(text: &str, limit: usize) -> String {
    let safe = plain(text);
    if safe.chars().count() <= limit {
        return safe;
    }
    let mut cut: String = safe.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

fn changes_the_view(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{061C}')
}

/// Days as people say them: `12 days`, `7 months`, `4 years`.
pub fn age(days: u32) -> String {
    let days = u64::from(days);
    let (number, unit) = match days {
        0..=60 => (days, "day"),
        61..=729 => (days * 100 / 3044, "month"),
        _ => (days * 100 / 36525, "year"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A whole number with thin groups: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_strings_are_escaped() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d");
        assert_eq!(plain("Zoë O'Neill 王"), "Zoë O'Neill 王");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }

    #[test]
    fn ages_and_numbers_read_well() {
        assert_eq!(age(1), "1 day");
        assert_eq!(age(0), "0 days");
        assert_eq!(age(365), "11 months");
        assert_eq!(age(731), "2 years");
        assert_eq!(age(u32::MAX), "11758979 years");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
