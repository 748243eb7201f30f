//! Any bytes as a sidecar's answer, whole and in pieces: a status that stands there, and the sidecar's own words cut, without
//! the secret that it was asked with; or one line. How the bytes come in makes no difference, and the request is always the same.
//!
//! The last byte says how long the pieces are; from 128 on, how long a field of the head is that the others do not write out: by
//! itself libFuzzer makes no input of more than 4 KiB, and the limit of a head is four times that.
#![no_main]

use lastout::fuzzed::{Answer, Failure, HEAD_LIMIT, ask};
use lastout_core::spec::Spec;
use libfuzzer_sys::fuzz_target;
use std::io;
use std::sync::{Arc, LazyLock};

const SECRET: &str = "sesame-4711";
static SPEC: LazyLock<Arc<Spec>> = LazyLock::new(|| {
    let text =
        format!("peer:quit=http://127.0.0.1:15020/quit?now=1,method=POST,header=Authorization={SECRET}");
    Arc::new(Spec::parse(&text, &|_| None).expect("a SPEC"))
});

/// So many pieces fit into a socket, and so many bytes into a buffer of the client: none of them is cut.
const MOST_PIECES: usize = 100;
const MOST_BYTES: usize = HEAD_LIMIT / 4 * 3;
/// What a step from 128 on counts: the longest field is twice as long as a head may be.
const FIELD_STEP: usize = HEAD_LIMIT / 64;

fn is_shown(words: &str) {
    assert!(!words.chars().any(char::is_control) && words.chars().count() <= 160, "{words:?}");
    assert!(!words.contains(SECRET), "{words}");
}

fn request_is_whole(sent: &[u8]) {
    let sent = str::from_utf8(sent).expect("a request of text");
    let (head, body) = sent.split_once("\r\n\r\n").expect("a whole head");
    let mut lines: Vec<String> = head.split("\r\n").map(str::to_lowercase).collect();
    lines[1..].sort();
    assert_eq!(lines[0], "post /quit?now=1 http/1.1");
    let wanted = ["authorization: sesame-4711", "connection: close", "content-length: 0", "host: localhost"];
    assert!(wanted.iter().all(|field| lines.iter().filter(|line| line == field).count() == 1), "{sent}");
    assert_eq!(body, "");
}

fn asked(pieces: &[&[u8]]) -> io::Result<Result<Answer, Failure>> {
    let (result, sent) = ask(&SPEC, pieces)?;
    request_is_whole(&sent);
    Ok(result)
}

/// These bytes with one more field of this length, after the first line.
fn with_long_field(bytes: &[u8], length: usize) -> Vec<u8> {
    let at = bytes.windows(2).position(|end| end == b"\r\n").map_or(bytes.len(), |at| at + 2);
    let (line, rest) = bytes.split_at(at);
    [line, b"x-long: ", &b"x".repeat(length), b"\r\n", rest].concat()
}

/// The client's buffer may cut a piece here, and then it reads another stream than these bytes: what is compared for shorter
/// ones is not.
fn is_bounded(bytes: &[u8]) {
    let pieces: Vec<_> = bytes.chunks(HEAD_LIMIT / 8).collect();
    match asked(&pieces).expect("a socket") {
        Ok(answer) => is_shown(&answer.quote),
        Err(Failure::Lost(words)) => is_shown(&words),
        Err(other) => panic!("{other:?}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((step, bytes)) = bytes.split_last() else { return };
    if bytes.len() > MOST_BYTES {
        return;
    }
    if let Some(length) = step.checked_sub(127) {
        return is_bounded(&with_long_field(bytes, usize::from(length) * FIELD_STEP));
    }
    let pieces = |length: usize| bytes.chunks(length.max(1)).collect::<Vec<_>>();
    let whole = asked(&pieces(bytes.len())).expect("a socket");
    match &whole {
        Ok(answer) => {
            let stands_there = |version| {
                let line = format!("HTTP/1.{version} {:03}", answer.status);
                bytes.windows(line.len()).any(|window| window == line.as_bytes())
            };
            assert!(stands_there(0) || stands_there(1), "{answer:?}");
            // What is said before the answer is none.
            assert!(answer.status == 101 || !(100..200).contains(&answer.status), "{answer:?}");
            is_shown(&answer.quote);
        }
        // The request was written: whatever is wrong then, it may have been heard.
        Err(Failure::Lost(words)) => {
            assert!(!words.is_empty());
            is_shown(words);
        }
        Err(other) => panic!("{other:?}"),
    }
    let length = bytes.len().div_ceil(MOST_PIECES).max(usize::from(*step) + 1);
    let in_pieces = asked(&pieces(length)).expect("a socket");
    // When a chunk is malformed, ureq drops what it has decoded since its last read: the quote depends on the pieces.
    let is_chunked = bytes.to_ascii_lowercase().windows(7).any(|word| word == b"chunked");
    match (&in_pieces, &whole) {
        (Ok(one), Ok(other)) if is_chunked => {
            assert_eq!(one.status, other.status, "in pieces of {length} bytes")
        }
        _ => assert_eq!(in_pieces, whole, "in pieces of {length} bytes"),
    }
});
