//! Any text as a SPEC, with variables set to what the text says, too: a spec that connects to loopback only, or one line
//! that names the place and no header's value.
#![no_main]

use lastout_core::spec::{Address, Ready, Spec};
use libfuzzer_sys::fuzz_target;

fn address_is_local(at: &Address) {
    match at {
        Address::Tcp(list) => {
            assert!(!list.is_empty());
            assert!(list.iter().all(|at| at.ip().is_loopback() && at.port() != 0), "{list:?}");
        }
        // 108 bytes, of which a path needs one for its end; an abstract name, which begins with a NUL, needs none.
        Address::Unix(path) => {
            let most = if path.starts_with(&[0]) { 108 } else { 107 };
            assert!(!path.is_empty() && path.len() <= most, "{path:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // What stands behind the last line break is the value of every variable.
    let (text, variable) = text.rsplit_once('\n').map_or((text, None), |(text, value)| (text, Some(value)));
    match Spec::parse(text, &|_| variable.map(str::to_owned)) {
        Err(error) => {
            let line = error.to_string();
            assert!(!line.is_empty() && !line.chars().any(char::is_control), "{line}");
            assert!(text.get(error.at.clone()).is_some(), "{error:?}");
        }
        Ok(spec) => {
            for at in [spec.ready.address(), spec.quit.address(), spec.gone.address()].into_iter().flatten() {
                address_is_local(at);
            }
            if let Ready::File(path) = &spec.ready {
                assert!(!path.is_empty() && !path.contains(&0), "{path:?}");
            }
            for (name, value) in &spec.headers {
                let is_one_line = |text: &str| !text.contains(['\r', '\n', '\0']);
                assert!(!name.is_empty() && is_one_line(name) && is_one_line(value), "{name:?}: {value:?}");
            }
            // What it shows of itself is the name: it reads back as the user wrote it.
            assert!(text.starts_with(spec.name.as_str()), "{text:?}: {}", spec.name);
            assert_eq!(Spec::parse(text, &|_| variable.map(str::to_owned)).ok().as_ref(), Some(&spec));
        }
    }
});
