//! Sidecars that are named twice: each address is asked once, as some programs do not survive a second request.

use crate::spec::{Address, Quit, Spec};
use alloc::{format, string::String, vec::Vec};

/// Leaves one spec of each name and address (the last one given, at the place of the first), and one request to each
/// address: that of the first to be stopped. The ends of the others are waited for. Returns a line for each that was
/// folded.
pub(super) fn fold(sidecars: &mut Vec<Spec>) -> Vec<String> {
    let mut told = Vec::new();
    let mut kept: Vec<Spec> = Vec::new();
    for mut spec in sidecars.drain(..) {
        if let Some(same) = kept.iter_mut().find(|known| known.name == spec.name && is_same(known, &spec)) {
            told.push(format!("{}: given twice, with the same address: the last one counts", spec.name));
            *same = spec;
            continue;
        }
        if let Some(other) = kept
            .iter_mut()
            .find(|known| asks_the_same(&known.quit, &spec.quit) || signals_the_same(known, &spec))
        {
            let (asked, with_it) =
                if spec.order < other.order { (&mut spec, other) } else { (other, &mut spec) };
            told.push(format!(
                "{}: {} goes to the same address as {}'s: it is sent once, for both",
                with_it.name, with_it.quit, asked.name
            ));
            with_it.quit = Quit::WithAnother;
            // Where one of them must not be missing, it is asked for as long as that says.
            asked.optional &= with_it.optional;
            if with_it.process == asked.process {
                with_it.process = None;
            }
        }
        kept.push(spec);
    }
    *sidecars = kept;
    told
}

fn is_same(a: &Spec, b: &Spec) -> bool {
    match (&a.quit, &b.quit) {
        (Quit::Nothing, Quit::Nothing) => a.ready == b.ready && a.process == b.process,
        (a, b) => asks_the_same(a, b),
    }
}

fn asks_the_same(a: &Quit, b: &Quit) -> bool {
    match (a, b) {
        (Quit::Http(a), Quit::Http(b)) => overlap(&a.at, &b.at),
        (Quit::CreateFile(a), Quit::CreateFile(b)) => a == b,
        (Quit::Http(_) | Quit::CreateFile(_) | Quit::WithAnother | Quit::Nothing, _) => false,
    }
}

/// Both are signalled only, and it is the same process.
fn signals_the_same(a: &Spec, b: &Spec) -> bool {
    (&a.quit, &b.quit) == (&Quit::Nothing, &Quit::Nothing) && a.process.is_some() && a.process == b.process
}

fn overlap(a: &Address, b: &Address) -> bool {
    match (a, b) {
        (Address::Tcp(a), Address::Tcp(b)) => a.iter().any(|at| b.contains(at)),
        (Address::Unix(a), Address::Unix(b)) => a == b,
        (Address::Tcp(_) | Address::Unix(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(texts: &[&str]) -> (Vec<String>, usize) {
        let mut specs: Vec<Spec> = texts.iter().map(|text| Spec::parse(text, &|_| None).unwrap()).collect();
        let told = fold(&mut specs).len();
        (specs.iter().map(|spec| format!("{} {}", spec.name, spec.quit)).collect(), told)
    }

    #[test]
    fn the_same_name_with_the_same_address_is_one_and_the_last_one_counts() {
        let one = (["envoy POST 127.0.0.1:9901/quitquitquit".into()].to_vec(), 1);
        assert_eq!(folded(&["envoy", "envoy"]), one);
        assert_eq!(folded(&["envoy", "envoy:host=127.0.0.1"]), one);
        let mut specs =
            ["envoy", "envoy:timeout=5s"].map(|text| Spec::parse(text, &|_| None).unwrap()).to_vec();
        fold(&mut specs);
        assert_eq!(specs[0].timeout.as_secs(), 5);
    }

    #[test]
    fn of_two_names_for_one_address_the_first_to_be_stopped_is_asked() {
        let (names, told) = folded(&["envoy", "mine:ready=/r,quit=http://[::1]:9901/stop,port=9901"]);
        assert_eq!((names.len(), names[0].as_str(), told), (2, "envoy the same request", 1));
        assert_eq!(folded(&["a:quit=file:/x", "b:quit=file:/x"]).1, 1);
        let first_stopped = folded(&["a:quit=file:/x,order=90", "b:quit=file:/x"]);
        assert_eq!(first_stopped.0, ["a the same request", "b file:/x"]);
        assert_eq!(folded(&["a:quit=unix:/s:/q", "b:quit=unix:/s:/q"]).1, 1);
        assert_eq!(folded(&["a:quit=unix:/r/s:/q", "b:socket=/r/.//s,quit=/q"]).1, 1);
        assert_eq!(folded(&["a:process=p", "b:process=p"]).1, 1);
    }

    #[test]
    fn different_addresses_stay_two() {
        assert_eq!(folded(&["envoy", "envoy:port=9902"]).1, 0);
        assert_eq!(folded(&["a:quit=http://127.0.0.1:1/", "b:quit=http://[::1]:1/"]).1, 0);
        assert_eq!(folded(&["a:ready=file:/x", "b:ready=file:/y"]).1, 0);
    }
}
