//! Any bytes as a file of `--env-file`: entries that an environment can hold, which read back as they are, or the line that is
//! wrong. What stands behind a file that reads changes nothing of it.
#![no_main]

use lastout::fuzzed::read_env_file;
use libfuzzer_sys::fuzz_target;

/// As a careful shell script writes it: in single quotes, and each of those in double quotes.
fn written(entry: &[u8]) -> Vec<u8> {
    let (name, value) = entry.split_at(entry.iter().position(|byte| *byte == b'=').expect("a =") + 1);
    let mut line = [b"export ", name, b"'"].concat();
    for byte in value {
        match byte {
            b'\'' => line.extend(b"'\"'\"'"),
            _ => line.push(*byte),
        }
    }
    line.extend(b"'\n");
    line
}

fuzz_target!(|bytes: &[u8]| {
    let entries = match read_env_file(bytes) {
        Ok(entries) => entries,
        Err(wrong) => {
            let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!((1..=lines).contains(&wrong.line), "{wrong:?}");
            assert!(!wrong.what.is_empty() && !wrong.what.contains('\n'), "{wrong:?}");
            return;
        }
    };
    for entry in &entries {
        let name = entry.split(|byte| *byte == b'=').next().unwrap_or_default();
        assert!(name.len() < entry.len() && !entry.contains(&0), "{}", entry.escape_ascii());
        assert!(
            name.first().is_some_and(|first| !first.is_ascii_digit())
                && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
            "{}",
            entry.escape_ascii()
        );
    }
    let again: Vec<u8> = entries.iter().flat_map(|entry| written(entry)).collect();
    assert_eq!(read_env_file(&again).as_ref(), Ok(&entries), "{}", again.escape_ascii());
    // From a machine whose lines end otherwise; a value in quotes keeps its own ends.
    let more = [bytes, b"\nLAST=1\r\n"].concat();
    let more = read_env_file(&more).expect("a file that reads, and one more line");
    assert_eq!(more.split_last(), Some((&b"LAST=1".to_vec(), &entries[..])));
});
