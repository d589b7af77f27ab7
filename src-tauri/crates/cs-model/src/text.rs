//! Foreign text made safe to keep and to show.

/// Whether a character can hide, reorder or forge text: C0 and C1 controls, bidirectional
/// controls, zero-width and other default-ignorable characters, line separators, tags, and blanks
/// that are not the space.
pub const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// One line of foreign text, at most `most` characters, with every deceptive character written
/// out as `\u{..}`. What was cut is said.
pub fn neutralise(text: &str, most: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(most));
    for (count, c) in text.chars().enumerate() {
        if count >= most {
            let rest = text.chars().count().saturating_sub(most);
            safe.push_str(&format!("\u{2026} ({rest} more)"));
            break;
        }
        if is_deceptive(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
        assert_eq!(neutralise("a\r\nb\u{202e}c\x1b[2J", 99), "a\\u{d}\\u{a}b\\u{202e}c\\u{1b}[2J");
        assert_eq!(neutralise("Grüße, 世界", 99), "Grüße, 世界");
        // One of each kind that is easily forgotten: musical and shorthand controls, blanks.
        for c in "\u{1bca0}\u{1d173}\u{a0}\u{1680}\u{2000}\u{202f}\u{205f}\u{2800}\u{3000}".chars()
        {
            assert_eq!(neutralise(&format!("a{c}b"), 99), format!("a{}b", c.escape_unicode()));
        }
        assert_eq!(neutralise("a b", 99), "a b");
    }

    #[test]
    fn what_was_cut_is_said() {
        assert_eq!(neutralise("abcdef", 4), "abcd\u{2026} (2 more)");
        assert_eq!(neutralise("abcd", 4), "abcd");
    }
}
