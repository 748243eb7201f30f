//! It is by the API server's clock that certificates begin and end.

use crate::api::Api;
use crate::replica::{Replica, admit_at, until};
use rustls::pki_types::UnixTime;
use std::time::Duration;

const HOUR: i64 = 3_600;
const HALF: i64 = HOUR / 2;

fn now(api: &Api) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(api.now().as_second().try_into().unwrap()))
}

#[test]
fn an_api_server_that_has_another_time_trusts_what_is_signed_and_the_difference_is_told() {
    for (ahead, told) in [
        (25 * HOUR + HALF, "25 h behind the API server's"),
        (-25 * HOUR - HALF, "25 h ahead of the API server's"),
    ] {
        let api = Api::start();
        api.set_clock(ahead);
        let replica =
            Replica::start(&api, Duration::from_secs(24 * 3_600), Duration::from_secs(365 * 24 * 3_600));
        replica.wait_until_ready();
        let admitted = || admit_at(replica.port, &api.bundle()?, now(&api)).ok();
        until(admitted, || (api.bundle(), replica.state()));
        replica.wait_for_text(&format!("this machine's clock is {told}"));
        assert!(replica.state().is_troubled);
    }
}

/// The API server was a day ahead, and has been set right: what was signed for its future is signed anew.
#[test]
fn who_is_told_another_time_signs_anew_by_that() {
    let api = Api::start();
    api.set_clock(25 * HOUR);
    let replica =
        Replica::start(&api, Duration::from_secs(24 * 3_600), Duration::from_secs(365 * 24 * 3_600));
    replica.wait_until_ready();
    api.set_clock(0);
    // The authority is one of the future, too: nothing is trusted before there is another one.
    api.cut();
    let admitted = || admit_at(replica.port, &api.bundle()?, now(&api)).ok();
    until(admitted, || (api.bundle(), replica.state()));
    until(|| (!replica.state().is_troubled).then_some(()), || replica.state());
}
