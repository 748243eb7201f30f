//! A stderr that is closed, or whose reader is gone, changes nothing but what is heard.

use std::time::Duration;
use support::{Fake, Launch, Reply};

/// One sidecar that would be told of, and one that must be stopped all the same.
fn stubborn_and_good() -> (Fake, Fake) {
    (Fake::script().quit([Reply::Answer(404, "off")]).stays().start(), Fake::good())
}

fn mains_code_stands(surroundings: impl Fn(Launch) -> Launch) {
    let (stubborn, good) = stubborn_and_good();
    let launch = surroundings(Launch::pid1()).options(["--log-level", "debug"]);
    let end = launch.sidecar(&stubborn.spec("stubborn")).sidecar(&good.spec("good")).sh("exit 3").run();
    assert_eq!(end.code(), 3);
    assert_eq!((stubborn.quits().len(), good.quits().len()), (1, 1));
}

#[test]
fn with_a_broken_stderr_mains_code_stands_and_the_sidecars_are_stopped() {
    only_ours!();
    mains_code_stands(Launch::broken_stderr);
}

#[test]
fn with_a_closed_stderr_mains_code_stands_and_the_sidecars_are_stopped() {
    only_ours!();
    mains_code_stands(|l| l.closed(2));
}

#[test]
fn with_all_three_closed_mains_code_stands_and_the_sidecars_are_stopped() {
    only_ours!();
    mains_code_stands(|l| l.closed(0).closed(1).closed(2));
}

#[test]
fn our_own_broken_pipe_is_not_forwarded_to_main() {
    only_ours!();
    // The wrapper warns of the unknown variable before main starts, and of the answer while main runs.
    let fake = Fake::good();
    let end = Launch::pid1()
        .broken_stderr()
        .env("LASTOUT_LINGRE=1s")
        .options(["--log-level", "debug"])
        .sidecar(&fake.spec("fake"))
        .sh("sleep 0.05; exit 3")
        .run();
    assert_eq!(end.code(), 3, "141 would be main's death by our SIGPIPE");
}

#[test]
fn with_a_broken_stderr_a_failure_of_ours_has_its_code() {
    only_ours!();
    let launch = || Launch::pid1().broken_stderr().deadline(Duration::from_secs(5));
    assert_eq!(launch().command(["no-such-command"]).run().code(), 127);
    assert_eq!(launch().options(["--linger", "soon"]).sh("exit 3").run().code(), 125);
}
