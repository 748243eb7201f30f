//! Values of headers, wherever a blank or a wrong option has taken them: no line that we write shows them.

use lastout_core::spec::Spec;
use lastout_core::text::header_at;
use std::sync::OnceLock;

static SECRETS: OnceLock<Vec<String>> = OnceLock::new();

/// Bytes of the shortest word that is looked for in lines: a shorter one stands in our own words, too.
const SHORTEST: usize = 6;

/// Keeps what these words and sidecars hold of secrets. `words`: of the command line and of the environment, as they came.
pub fn hide(words: &mut dyn Iterator<Item = &[u8]>, sidecars: &[Spec]) {
    let mut found = Vec::new();
    let mut token_follows = false;
    for text in words {
        if !token_follows && header_at(text).is_none() {
            continue;
        }
        // Blanks divide a variable into words.
        for word in String::from_utf8_lossy(text).split(' ') {
            let field = header_at(word.as_bytes()).and_then(|at| word.get(at..));
            let value = match field {
                Some(field) => {
                    let field = field.split_once(',').map_or(field, |(field, _)| field);
                    field.split_once('=').map_or("", |(_, value)| value)
                }
                None if token_follows => word,
                None => continue,
            };
            token_follows = field.is_some() && is_scheme(value);
            keep(&mut found, value);
        }
    }
    for spec in sidecars {
        for (_, value) in &spec.headers {
            keep(&mut found, value);
        }
    }
    let _ = SECRETS.set(found);
}

fn keep(found: &mut Vec<String>, value: &str) {
    for word in value.replace("%20", " ").split(' ') {
        if word.len() >= SHORTEST && !is_scheme(word) {
            found.push(word.to_owned());
        }
    }
}

/// What stands before a token in the field `Authorization`, and is none.
fn is_scheme(word: &str) -> bool {
    matches!(word, "Bearer" | "bearer" | "Basic" | "basic" | "Token" | "token")
}

/// This text without them.
pub fn hidden(text: &str) -> String {
    let mut text = text.to_owned();
    for secret in SECRETS.get().into_iter().flatten() {
        text = text.replace(secret.as_str(), "***");
    }
    text
}
