//! What keeps a certificate from being trusted is told, with the way out, and no longer than it lasts.

use crate::api::{Api, CONFIGURATION, SECRET, configuration};
use crate::cluster::{authorities, long_lived, must_serve};
use crate::replica::{Replica, until};
use std::time::Duration;

#[test]
fn without_the_configuration_it_is_not_ready_until_there_is_one() {
    let api = Api::start();
    api.delete(CONFIGURATION);
    let replica = long_lived(&api);
    replica.wait_for_text(
        "there is no mutatingwebhookconfiguration zz-lastout that calls service lastout-webhook",
    );
    assert!(replica.state().is_troubled);
    assert!(!replica.state().is_ready);
    api.put(CONFIGURATION, configuration());
    must_serve(&api, &[&replica]);
}

#[test]
fn refusals_are_told_with_the_way_out_and_watches_that_end_begin_again() {
    let api = Api::start();
    api.refuse(6, 403);
    let replica = long_lived(&api);
    replica.wait_for_text("manifests");
    assert!(!replica.state().is_ready);
    must_serve(&api, &[&replica]);
    until(|| (!replica.state().text.contains("refused")).then_some(()), || replica.state());
    api.cut();
    api.refuse(3, 503);
    api.delete(SECRET);
    until(|| api.get(SECRET), || replica.state());
    must_serve(&api, &[&replica]);
}

#[test]
fn a_right_to_write_that_is_missing_is_told_with_the_verb_and_the_way_out() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    api.refuse_writes(u32::MAX, 403);
    api.delete(SECRET);
    replica.wait_for_text("cannot create secret lastout-webhook-ca of namespace lastout: refused with 403; `kubectl lastout manifests`");
    api.refuse_writes(0, 0);
    until(|| (!replica.state().is_troubled).then_some(()), || replica.state());
}

/// What this replica could not write, another one has written: there is nothing to be tried again.
#[test]
fn trouble_ends_where_somebody_else_has_mended_it() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    let sound = api.get(CONFIGURATION).unwrap();
    api.refuse_writes(u32::MAX, 503);
    api.put(CONFIGURATION, configuration());
    replica.wait_for_text(
        "cannot patch mutatingwebhookconfiguration zz-lastout: refused with 503; it is tried again",
    );
    api.put(CONFIGURATION, sound);
    until(|| (!replica.state().is_troubled).then_some(()), || replica.state());
}

#[test]
fn who_is_ready_stays_so_while_the_bundle_is_wrong_and_says_that_it_is_not_trusted() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    assert_eq!(replica.state().is_trusted, Some(true));
    api.refuse_writes(u32::MAX, 503);
    api.put(CONFIGURATION, configuration());
    until(|| (replica.state().is_trusted == Some(false)).then_some(()), || replica.state());
    assert!(replica.state().is_ready && replica.state().is_troubled);
    api.refuse_writes(0, 0);
    until(|| (replica.state().is_trusted == Some(true)).then_some(()), || replica.state());
    assert_eq!(authorities(&api.bundle().unwrap()), 1);
}

#[test]
fn who_was_ready_is_so_no_longer_when_its_certificate_has_expired() {
    let api = Api::start();
    let replica = Replica::start(&api, Duration::from_secs(2), Duration::from_secs(5));
    must_serve(&api, &[&replica]);
    // No other authority can be written, and this one expires.
    api.refuse_writes(u32::MAX, 503);
    until(|| (!replica.state().is_ready).then_some(()), || replica.state());
    let state = replica.state();
    assert!(state.text.contains("; it has expired") && state.is_trusted == Some(false), "{state:?}");
    api.refuse_writes(0, 0);
    must_serve(&api, &[&replica]);
}
