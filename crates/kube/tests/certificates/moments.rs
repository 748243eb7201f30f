//! Single decisions that the runs of `rotation` seldom come to.

use crate::world::LIFETIMES;
use kubectl_lastout::webhook::certificates::lifetimes::BACKDATED;
use kubectl_lastout::webhook::certificates::rotation::{
    Authority, Bundle, Leaf, Now, Rotation, SecretWrite, SeenConfiguration, SeenSecret,
};
use std::time::Duration;

const START: Duration = Duration::from_secs(1_800_000_000);

fn at(seconds: u64) -> Now {
    let steady = Duration::from_secs(seconds);
    Now { wall: START + steady, is_sure: true, steady }
}

/// Made so many seconds after the start.
fn authority(number: u8, made: u64) -> Authority {
    let made = at(made).wall;
    Authority {
        id: [number; 32],
        not_before: made - BACKDATED,
        not_after: LIFETIMES.end_of_authority(made),
        is_ours: true,
    }
}

fn secret(authorities: &[Authority]) -> SeenSecret {
    SeenSecret::Present { authorities: authorities.to_vec(), is_sound: true }
}

fn configuration(authorities: &[Authority]) -> SeenConfiguration {
    SeenConfiguration::Present(vec![Bundle { authorities: authorities.to_vec(), is_sound: true }; 2])
}

/// It serves what `by` has signed.
fn serving(by: Authority, since: u64) -> Rotation {
    let mut rotation = Rotation::new(LIFETIMES);
    rotation.saw_secret(secret(&[by]), at(since));
    rotation.saw_configuration(configuration(&[by]), at(since));
    let from = at(since).wall;
    rotation.signed(Leaf { by, from, until: LIFETIMES.end_of_leaf(from) });
    rotation
}

#[test]
fn nothing_is_signed_or_trusted_before_both_objects_were_read() {
    let one = authority(1, 0);
    let mut rotation = Rotation::new(LIFETIMES);
    rotation.saw_secret(secret(&[one]), at(1));
    assert_eq!(rotation.plan(at(1)).sign, None);
    rotation.saw_configuration(configuration(&[one]), at(1));
    assert_eq!(rotation.plan(at(1)).sign.map(|leaf| leaf.by), Some(one));
    let mut rotation = Rotation::new(LIFETIMES);
    rotation.saw_configuration(configuration(&[one]), at(1));
    let plan = rotation.plan(at(1));
    assert_eq!((plan.sign, plan.bundle, plan.secret), (None, None, None));
}

#[test]
fn what_is_served_stays_trusted_where_both_objects_were_lost() {
    let (old, new) = (authority(1, 0), authority(2, 60));
    let mut rotation = serving(old, 0);
    rotation.saw_secret(secret(&[new]), at(60));
    rotation.saw_configuration(configuration(&[]), at(60));
    assert_eq!(rotation.plan(at(60)).bundle, Some(vec![new, old]));
}

#[test]
fn a_new_authority_signs_when_it_has_settled_and_sooner_where_the_old_one_is_nearly_over() {
    let life = LIFETIMES.authority.as_secs();
    let settling = LIFETIMES.settling().as_secs();
    for (made, waits) in [(life * 2 / 3, settling), (life - 200, settling / 2)] {
        let (old, new) = (authority(1, 0), authority(2, made));
        let mut rotation = serving(old, made - 1);
        rotation.saw_secret(secret(&[old, new]), at(made));
        assert_eq!(rotation.plan(at(made)).bundle, Some(vec![new, old]));
        rotation.saw_configuration(configuration(&[new, old]), at(made));
        assert_eq!(rotation.plan(at(made + waits - 1)).sign, None, "{waits}");
        assert_eq!(rotation.plan(at(made + waits)).sign.map(|leaf| leaf.by), Some(new), "{waits}");
        assert!(rotation.plan(at(made)).wait <= Duration::from_secs(waits));
    }
}

#[test]
fn who_starts_beside_two_authorities_takes_the_one_that_was_surely_read() {
    let overlap = LIFETIMES.authority.as_secs() * 2 / 3;
    let (old, new) = (authority(1, 0), authority(2, overlap));
    for (now, signer) in [(overlap + 10, old), (overlap + LIFETIMES.settling_with_skew().as_secs(), new)] {
        let mut rotation = Rotation::new(LIFETIMES);
        rotation.saw_secret(secret(&[old, new]), at(now));
        rotation.saw_configuration(configuration(&[new, old]), at(now));
        assert_eq!(rotation.plan(at(now)).sign.map(|leaf| leaf.by), Some(signer), "{now}");
    }
}

#[test]
fn where_a_cluster_stood_still_until_its_authority_was_nearly_over_the_next_one_comes_before_readiness() {
    let end = LIFETIMES.authority.as_secs();
    assert!(serving(authority(1, 0), 10).is_ready(at(10)));
    let rotation = serving(authority(1, 0), end - 60);
    assert!(rotation.is_trusted() && !rotation.is_ready(at(end - 60)));
}

/// The clock was set back by an hour: the leaf would be one of the future.
#[test]
fn a_leaf_of_the_future_is_signed_anew() {
    let one = authority(1, 0);
    let mut rotation = serving(one, 4_000);
    assert_eq!(rotation.plan(at(4_000)).sign, None);
    let now = Now { wall: at(400).wall, is_sure: true, steady: at(4_001).steady };
    assert_eq!(rotation.plan(now).sign.map(|leaf| leaf.from), Some(now.wall));
}

/// Who has not heard of the Secret for long must not take away what is in it by now.
#[test]
fn an_authority_that_is_gone_is_trusted_for_the_life_of_a_leaf_and_until_the_secret_was_read_again() {
    let (gone, one) = (authority(1, 0), authority(2, 0));
    let mut rotation = serving(one, 0);
    rotation.saw_configuration(configuration(&[one, gone]), at(0));
    assert_eq!(rotation.plan(at(0)).bundle, None);
    let later = LIFETIMES.retention().as_secs() + 1;
    assert_eq!(rotation.plan(at(later)).bundle, None, "not read since");
    rotation.saw_secret(secret(&[one]), at(later));
    assert_eq!(rotation.plan(at(later)).bundle, Some(vec![one]));
}

#[test]
fn anybody_elses_authority_is_taken_out_of_the_bundle_at_once() {
    let (one, other) = (authority(1, 0), Authority { is_ours: false, ..authority(2, 0) });
    let mut rotation = serving(one, 0);
    rotation.saw_configuration(configuration(&[one, other]), at(1));
    assert_eq!(rotation.plan(at(1)).bundle, Some(vec![one]));
    // But not where it was in the Secret: somebody may be serving what it has signed.
    rotation.saw_secret(secret(&[one, other]), at(2));
    rotation.saw_configuration(configuration(&[other, one]), at(2));
    assert_eq!(rotation.plan(at(2)).bundle, None);
    rotation.saw_secret(secret(&[one]), at(3));
    assert_eq!(rotation.plan(at(3)).bundle, None);
}

/// An expired authority hurts nobody. Without one that only we believe to have expired, no other replica is trusted.
#[test]
fn an_expired_authority_is_thrown_away_late_and_by_the_api_servers_clock_alone() {
    let life = LIFETIMES.authority.as_secs();
    let (old, new) = (authority(1, 0), authority(2, life * 2 / 3));
    let retention = LIFETIMES.retention().as_secs();
    let end = (old.not_after - START).as_secs();
    for (when, is_sure, both) in
        [(end + 1, true, true), (end + retention, false, true), (end + retention, true, false)]
    {
        let now = Now { is_sure, ..at(when) };
        let mut rotation = serving(new, life * 2 / 3);
        rotation.saw_secret(secret(&[old, new]), now);
        rotation.saw_configuration(configuration(&[old, new]), now);
        let plan = rotation.plan(now);
        let update = SecretWrite::Update { keep: vec![new], add: false };
        let (secret, bundle) = if both { (None, None) } else { (Some(update), Some(vec![new])) };
        assert_eq!((plan.secret, plan.bundle), (secret, bundle), "{when} {is_sure}");
    }
}
