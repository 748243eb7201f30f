//! Two replicas, any order of what they see and do, any faults: whoever is ready serves what the API server trusts.

use crate::world::{Fault, LIFETIMES, TICK, World};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Tick(u32),
    SeeSecret(usize),
    SeeConfiguration(usize),
    Act(usize, bool),
    Read,
    Deafen(usize, u32),
    Restart(usize),
    Stop(u32),
    Suffer(Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::DeleteSecret),
        Just(Fault::ForeignSecret),
        Just(Fault::DamageSecret),
        Just(Fault::EmptyBundle),
        Just(Fault::ForeignBundle),
        Just(Fault::RecreateConfiguration),
        Just(Fault::DeleteConfiguration),
    ];
    prop_oneof![
        6 => (1..4_u32).prop_map(Step::Tick),
        // Up to the next authority.
        3 => (1..700_u32).prop_map(Step::Tick),
        3 => (0..2_usize).prop_map(Step::SeeSecret),
        3 => (0..2_usize).prop_map(Step::SeeConfiguration),
        6 => (0..2_usize, any::<bool>()).prop_map(|(replica, answers)| Step::Act(replica, answers)),
        2 => Just(Step::Read),
        1 => (0..2_usize, 1..60_u32).prop_map(|(replica, ticks)| Step::Deafen(replica, ticks)),
        1 => (0..2_usize).prop_map(Step::Restart),
        1 => (1..3_000_u32).prop_map(Step::Stop),
        2 => fault.prop_map(Step::Suffer),
    ]
}

fn play(world: &mut World, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Tick(ticks) => (0..ticks).for_each(|_| world.tick()),
            Step::SeeSecret(replica) => world.see_secret(replica),
            Step::SeeConfiguration(replica) => world.see_configuration(replica),
            Step::Act(replica, answers) => world.act(replica, answers),
            Step::Read => world.read(),
            Step::Deafen(replica, ticks) => world.deafen(replica, ticks),
            Step::Restart(replica) => world.restart(replica),
            Step::Stop(ticks) => world.stop(ticks),
            Step::Suffer(fault) => world.suffer(fault),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_ready_serves_what_the_api_server_trusts(
        steps in prop::collection::vec(step(), 0..60),
        skews in (-120..120_i64, -120..120_i64),
    ) {
        let mut world = World::new(&[skews.0, skews.1]);
        play(&mut world, &steps);
        world.must_be_at_rest();
        let writes = world.writes;
        (0..40).for_each(|_| world.tick());
        // An authority may be due just now, and another one over: two writes each. A fight would be a write in each tick.
        prop_assert!(world.writes <= writes + 8, "{} writes at rest", world.writes - writes);
    }
}

#[test]
fn two_replicas_that_start_at_once_make_one_authority() {
    let mut world = World::new(&[0, 0]);
    for replica in [0, 1] {
        world.see_secret(replica);
        world.see_configuration(replica);
    }
    world.act(0, true);
    world.act(1, true);
    world.must_be_at_rest();
    assert_eq!((world.signers.len(), world.writes), (1, 2), "one Secret, one caBundle");
}

#[test]
fn ten_authorities_follow_one_another() {
    let mut world = World::new(&[0, 90]);
    let ticks = LIFETIMES.authority.as_millis() / TICK.as_millis() * 10;
    (0..ticks).for_each(|_| world.tick());
    assert!((10..=16).contains(&world.signers.len()), "{}", world.signers.len());
    world.must_be_at_rest();
}

/// Its own clock is three days ahead, and it has not been told: all authorities are over long since, as it sees them.
#[test]
fn who_believes_a_wrong_clock_takes_no_good_authority_from_others() {
    let mut world = World::new(&[0, 3 * 24 * 3_600]);
    world.mislead(1);
    let ticks = LIFETIMES.authority.as_millis() / TICK.as_millis() * 10;
    (0..ticks).for_each(|_| world.tick());
    world.must_serve(0);
}
