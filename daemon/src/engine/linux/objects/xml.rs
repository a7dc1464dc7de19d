//! Text inside XML 1.0 documents, where the text is whatever a program called itself.

/// What stands for a character or byte that XML 1.0 cannot carry, not even escaped.
const REPLACEMENT: u8 = b'?';

/// Appends `text` as the value of a quoted attribute. All that XML can carry arrives as it was.
pub(super) fn push_attribute(out: &mut Vec<u8>, text: &[u8]) {
    push(out, text, |out, character| match character {
        // Raw, the reader would turn these into blanks (XML 1.0, 3.3.3).
        '\t' | '\n' | '\r' => out.extend_from_slice(format!("&#{};", character as u32).as_bytes()),
        _ => out.push(REPLACEMENT),
    });
}

/// Appends `text` as a table's cell: one line for people, so blanks stand for line ends and tabs.
pub(super) fn push_cell(out: &mut Vec<u8>, text: &[u8]) {
    push(out, text, |out, character| match character {
        '\t' | '\n' | '\r' => out.push(b' '),
        _ => out.push(REPLACEMENT),
    });
}

/// Appends `text`; `push_control` decides what stands for the characters below U+0020.
fn push(out: &mut Vec<u8>, text: &[u8], push_control: impl Fn(&mut Vec<u8>, char)) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '&' => out.extend_from_slice(b"&amp;"),
                '<' => out.extend_from_slice(b"&lt;"),
                '>' => out.extend_from_slice(b"&gt;"),
                '"' => out.extend_from_slice(b"&quot;"),
                '\'' => out.extend_from_slice(b"&apos;"),
                '\0'..='\u{1f}' => push_control(out, character),
                '\u{fffe}' | '\u{ffff}' => out.push(REPLACEMENT),
                _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.push(REPLACEMENT);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Panics unless `document` is one element and what is in it, well-formed, without characters that XML forbids.
    ///
    /// Knows what this module's documents use: elements, attributes in double quotes, text, references.
    #[track_caller]
    pub(in super::super) fn assert_well_formed(document: &[u8]) {
        let text = std::str::from_utf8(document).expect("UTF-8");
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(allowed), "a character that XML forbids in {text:?}");
        let mut open: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            check_references(&rest[..start]);
            assert!(!open.is_empty() || rest[..start].trim().is_empty(), "text outside the element");
            let end = start + rest[start..].find('>').expect("an unclosed tag");
            let tag = &rest[start + 1..end];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "the wrong element closes in {text}");
            } else {
                let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
                check_attributes(attributes.trim_end_matches('/'));
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
            rest = &rest[end + 1..];
        }
        assert!(rest.trim().is_empty() && open.is_empty(), "{open:?} left open in {text}");
    }

    #[track_caller]
    fn check_attributes(mut text: &str) {
        while !text.trim().is_empty() {
            let (name, rest) = text.split_once("=\"").expect("an attribute without a value");
            assert!(name.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
            let (value, rest) = rest.split_once('"').expect("an unclosed attribute");
            check_references(value);
            text = rest;
        }
    }

    #[track_caller]
    fn check_references(text: &str) {
        for after in text.split('&').skip(1) {
            let (name, _) = after.split_once(';').expect("an unclosed reference");
            assert!(["amp", "lt", "gt", "quot", "apos", "#9", "#10", "#13"].contains(&name), "{name}");
        }
        assert!(!text.contains('>'));
    }

    #[test]
    fn attributes_keep_all_that_xml_can_carry() {
        let mut out = Vec::new();
        push_attribute(&mut out, "a<b>&\"'\n\t\r\u{1}\u{1b}é\u{ffff}😀".as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), "a&lt;b&gt;&amp;&quot;&apos;&#10;&#9;&#13;??é?😀");
    }

    #[test]
    fn cells_are_one_line() {
        let mut out = Vec::new();
        push_cell(&mut out, b"sh -c 'a\nb'\x07");
        assert_eq!(out, b"sh -c &apos;a b&apos;?");
    }

    #[test]
    fn any_bytes_stay_well_formed() {
        for seed in 0..2000_u32 {
            let mut state = seed;
            let name: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .take(16)
            .collect();
            let mut document = b"<a n=\"".to_vec();
            push_attribute(&mut document, &name);
            document.extend_from_slice(b"\">");
            push_cell(&mut document, &name);
            document.extend_from_slice(b"</a>");
            assert_well_formed(&document);
        }
    }
}
