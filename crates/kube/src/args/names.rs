//! Names of objects, checked as the API server checks them: it would refuse the whole object, or an address would have another
//! name in it.

/// Of a namespace or a Service (RFC 1123, a label).
///
/// # Errors
/// What such a name is.
pub(crate) fn label(text: &str) -> Result<String, &'static str> {
    if is_label(text) && text.len() <= 63 {
        return Ok(text.to_owned());
    }
    Err("write at most 63 of a-z, 0-9 and -, with a letter or a digit at both ends")
}

/// Of other objects (RFC 1123, a subdomain).
///
/// # Errors
/// What such a name is.
pub(crate) fn subdomain(text: &str) -> Result<String, &'static str> {
    if text.split('.').all(is_label) && text.len() <= 253 {
        return Ok(text.to_owned());
    }
    Err("write at most 253 of a-z, 0-9, - and ., with a letter or a digit at both ends and beside each dot")
}

fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::{label, subdomain};

    #[test]
    fn names_are_those_that_the_api_server_takes() {
        for text in ["a", "0", "a-b", "kube-system", &"x".repeat(63)] {
            assert_eq!(label(text).as_deref(), Ok(text));
            assert_eq!(subdomain(text).as_deref(), Ok(text));
        }
        for text in ["", "-", "-a", "a-", "A", "a_b", "a/b", "a b", "\u{e4}", "a\n"] {
            assert!(label(text).is_err() && subdomain(text).is_err(), "{text:?}");
        }
        for text in ["a.b", "1.2-3", &"x".repeat(64), &"x".repeat(253)] {
            assert!(label(text).is_err(), "{text}");
            assert_eq!(subdomain(text).as_deref(), Ok(text));
        }
        for text in [".", "a.", ".a", "a..b", "a.-b", "a-.b", &"x".repeat(254)] {
            assert!(subdomain(text).is_err(), "{text:?}");
        }
    }
}
