//! Text that came from outside: which characters are never let into records, and how refused text is still recorded.

/// True for characters that a reader of the log cannot see or that change how the rest is shown: control characters,
/// line and paragraph separators, zero-width and text-direction marks.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// What is recorded of a text that was refused: at most `most` characters, the hidden ones replaced by `U+FFFD`.
/// Empty text is recorded as absent.
pub fn recordable(text: &str, most: usize) -> Option<String> {
    let shown: String =
        text.chars().take(most).map(|c| if is_hidden(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_replaced_and_length_is_bounded() {
        assert_eq!(recordable("", 10), None);
        assert_eq!(recordable("a\u{202E}b\0c\n", 10).as_deref(), Some("a\u{FFFD}b\u{FFFD}c\u{FFFD}"));
        assert_eq!(recordable(&"x".repeat(1000), 4).as_deref(), Some("xxxx"));
        assert_eq!(recordable("Zoë Ní Bhriain 警察", 64).as_deref(), Some("Zoë Ní Bhriain 警察"));
    }
}
