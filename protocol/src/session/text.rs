//! Text that travels: cut to its limit, and made fit to be shown.

use alloc::string::String;

/// As many whole characters of `text` as fit in `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// A peer's text, without control characters: it may be shown on a terminal. `None` where it is no UTF-8.
pub(super) fn shown(bytes: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(bytes).ok()?;
    Some(text.chars().map(|c| if c.is_control() { '?' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("aé", 9), "aé");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(shown(b"a\x1b[31m\n").as_deref(), Some("a?[31m?"));
        assert_eq!(shown(b"\xff"), None);
    }
}
