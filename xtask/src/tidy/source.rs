//! Just enough of a Rust lexer to tell code, comments and strings apart.

use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::CharIndices;

/// A Rust file, taken apart. Lines count from 1.
#[derive(Debug)]
pub(super) struct Source {
    /// The text with comments and the insides of strings blanked; its lines are the file's lines.
    pub(super) code: String,
    /// Comments, each with the line it begins on.
    pub(super) comments: Vec<(usize, String)>,
    /// The insides of string literals, each with the line it begins on.
    pub(super) strings: Vec<(usize, String)>,
    tests: Tests,
}

#[derive(Debug)]
enum Tests {
    WholeFile,
    Lines(Vec<RangeInclusive<usize>>),
}

impl Source {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.run();
        let tests = if is_test_file(path) {
            Tests::WholeFile
        } else {
            Tests::Lines(test_items(&lexer.code))
        };
        Self {
            code: lexer.code,
            comments: lexer.comments,
            strings: lexer.strings,
            tests,
        }
    }

    /// Whether a line is test code: in a test file, or in an item that is `#[cfg(test)]`.
    pub(super) fn is_test(&self, line: usize) -> bool {
        match &self.tests {
            Tests::WholeFile => true,
            Tests::Lines(ranges) => ranges.iter().any(|range| range.contains(&line)),
        }
    }

    /// Lines of code with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

fn is_test_file(path: &str) -> bool {
    path.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
}

/// The lines of each item under `#[cfg(test)]`: up to its closing brace, or its semicolon.
fn test_items(code: &str) -> Vec<RangeInclusive<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut found = Vec::new();
    for (start, _) in code.match_indices(ATTRIBUTE) {
        let rest = &code[start + ATTRIBUTE.len()..];
        let mut depth = 0_usize;
        let end = rest.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, '}' | ';')
        });
        let end = end.map_or(code.len(), |(offset, _)| start + ATTRIBUTE.len() + offset);
        found.push(line_at(code, start)..=line_at(code, end));
    }
    found
}

fn line_at(code: &str, offset: usize) -> usize {
    code[..offset].matches('\n').count() + 1
}

struct Lexer<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    line: usize,
    code: String,
    comments: Vec<(usize, String)>,
    strings: Vec<(usize, String)>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
            line: 1,
            code: String::with_capacity(text.len()),
            comments: Vec::new(),
            strings: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some((offset, c)) = self.rest.peek().copied() {
            let ahead = &self.text[offset..];
            if ahead.starts_with("//") {
                let length = ahead.find('\n').unwrap_or(ahead.len());
                self.comment(length);
            } else if ahead.starts_with("/*") {
                self.comment(block_comment(ahead));
            } else if let Some(hashes) = raw_string(ahead).filter(|_| !self.follows_word()) {
                self.raw_string(ahead, hashes);
            } else if c == '"' {
                self.string(ahead);
            } else if let Some(length) = character(ahead) {
                self.take(length, true);
            } else {
                self.take(c.len_utf8(), false);
            }
        }
    }

    /// Moves over `length` bytes; blanked, only line breaks stay.
    fn take(&mut self, length: usize, blank: bool) {
        let Some((start, _)) = self.rest.peek().copied() else {
            return;
        };
        while let Some((_, c)) = self.rest.next_if(|(offset, _)| *offset < start + length) {
            if c == '\n' {
                self.line += 1;
            }
            self.code.push(if blank && c != '\n' { ' ' } else { c });
        }
    }

    fn comment(&mut self, length: usize) {
        let Some((start, _)) = self.rest.peek().copied() else {
            return;
        };
        self.comments
            .push((self.line, self.text[start..start + length].to_owned()));
        self.take(length, true);
    }

    fn string(&mut self, ahead: &str) {
        let mut escaped = false;
        let inside = &ahead[1..];
        let length = inside.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.literal(1, inside, length.unwrap_or(inside.len()), 1);
    }

    fn raw_string(&mut self, ahead: &str, hashes: usize) {
        let open = ahead.find('"').map_or(ahead.len(), |quote| quote + 1);
        let inside = &ahead[open..];
        let close = format!("\"{}", "#".repeat(hashes));
        self.literal(
            open,
            inside,
            inside.find(&close).unwrap_or(inside.len()),
            close.len(),
        );
    }

    fn literal(&mut self, open: usize, inside: &str, length: usize, close: usize) {
        self.take(open, false);
        self.strings.push((self.line, inside[..length].to_owned()));
        self.take(length, true);
        self.take(close, false);
    }

    fn follows_word(&self) -> bool {
        self.code
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
    }
}

fn block_comment(ahead: &str) -> usize {
    let mut depth = 0_usize;
    let mut offset = 0;
    while offset < ahead.len() {
        let rest = &ahead[offset..];
        if rest.starts_with("/*") {
            depth += 1;
            offset += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            offset += 2;
            if depth == 0 {
                break;
            }
        } else {
            offset += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    offset
}

/// The number of hashes when a raw string begins here: `r"`, `r#"`, `br"`, `cr"`.
fn raw_string(ahead: &str) -> Option<usize> {
    let rest = ahead
        .strip_prefix(['b', 'c'])
        .unwrap_or(ahead)
        .strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// The length of a character literal that begins here; a lifetime is none.
fn character(ahead: &str) -> Option<usize> {
    let inside = ahead.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    if first == '\\' {
        let after = inside.char_indices().nth(2).map(|(offset, _)| offset)?;
        return inside[after..].find('\'').map(|end| 1 + after + end + 1);
    }
    (chars.next() == Some('\'')).then(|| 1 + first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = Source::read(
            "src/a.rs",
            "let a = \"in \\\" string\"; // out TODO\n/* a /* b */\n c */ let b = r#\"raw \" one\"#;\n",
        );

        assert_eq!(source.comments.len(), 2);
        assert_eq!(source.comments[0], (1, "// out TODO".to_owned()));
        assert_eq!(source.comments[1].0, 2);
        assert_eq!(source.strings[0], (1, "in \\\" string".to_owned()));
        assert_eq!(source.strings[1], (3, "raw \" one".to_owned()));
        assert_eq!(source.code.lines().count(), 3);
        assert!(!source.code.contains("TODO") && !source.code.contains("raw"));
        assert!(source.code.contains("let a") && source.code.contains("let b"));
    }

    #[test]
    fn characters_are_blanked_and_lifetimes_are_code() {
        let source = Source::read(
            "src/a.rs",
            r#"f('"', '\'', '\u{1F4A5}', '\\'); fn g<'a>(x: &'a str) {} "s""#,
        );

        assert_eq!(source.strings, vec![(1, "s".to_owned())]);
        assert!(source.code.contains("fn g<'a>(x: &'a str) {}"));
    }

    #[test]
    fn an_identifier_that_ends_in_r_begins_no_raw_string() {
        let source = Source::read("src/a.rs", "bar\"text\"; br\"bytes\"; b\"more\"");

        let strings: Vec<_> = source
            .strings
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(strings, ["text", "bytes", "more"]);
    }

    #[test]
    fn test_items_end_at_their_brace() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\nfn c() {}\n";
        let source = Source::read("src/a.rs", text);

        let tests: Vec<_> = (1..=6).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5]);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_ends_at_its_semicolon() {
        let source = Source::read("src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n");

        assert!(source.is_test(2) && !source.is_test(3));
        assert!(Source::read("src/a/tests.rs", "fn x() {}").is_test(1));
        assert!(Source::read("tests/api/main.rs", "fn x() {}").is_test(1));
    }

    #[test]
    fn unfinished_text_ends_with_the_file() {
        for text in [
            "\"open",
            "r#\"open\"",
            "/* open /*",
            "'",
            "'\\",
            "b",
            "#[cfg(test)]",
        ] {
            Source::read("src/a.rs", text);
        }
    }
}
