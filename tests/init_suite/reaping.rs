//! Children that are not the command.

use super::{Init, Verdict, holds, no_option, thorough};
use std::time::Duration;
use support::{Launch, TempDir, job};

pub fn orphans_are_reaped(init: Init) -> Verdict {
    let mut run = Launch::init(init).command(job(&["orphans", "2000", "200"])).stdin().start();
    run.says("made 2000");
    let said = String::from_utf8_lossy(&run.said()).into_owned();
    run.close_stdin();
    run.wait();
    holds(said.contains("left 0"), || said)
}

pub fn outside_pid_1_orphans_are_adopted_without_an_option(init: Init) -> Verdict {
    let mut run = Launch::init_as_process(init).command(job(&["adopted"])).stdin().start();
    run.says("adopted by");
    let said = String::from_utf8_lossy(&run.said()).into_owned();
    run.close_stdin();
    holds(said.contains("adopted by 2"), || "PID 1 gets them".to_owned())
}

pub fn the_end_of_the_command_among_4000_others_is_seen(init: Init) -> Verdict {
    for n in 0..if thorough() && init == Init::Ours { 200 } else { 10 } {
        let mut run = Launch::init(init).command(job(&["storm", "4000"])).start();
        let end = run.end_within(Duration::from_secs(10));
        let code = end.as_ref().map(|e| e.code());
        holds(code == Some(7), || format!("the {}th time: {code:?} {:?}", n + 1, end.map(|e| e.stderr)))?;
    }
    Ok(())
}

pub fn an_orphan_that_holds_stdout_holds_nothing_up(init: Init) -> Verdict {
    let end = Launch::init(init).sh("sleep 60 & exit 9").run();
    holds(end.code() == 9 && end.took() < Duration::from_secs(5), || format!("{:?}", end.took()))
}

pub fn what_the_command_leaves_behind_can_be_ended_with_grace(init: Init) -> Verdict {
    let options: &[&str] = match init {
        Init::Ours => &["--leftovers", "5s"],
        Init::Tini | Init::DumbInit | Init::Catatonit => &[],
    };
    let dir = TempDir::new();
    let script = format!(
        "(trap 'sleep 0.3; echo done > {}/file; exit' TERM; echo up >&3; while :; do sleep 0.01; done) 3>{}/up & \
         while [ ! -s {1}/up ]; do sleep 0.01; done; exit 9",
        dir.path().display(),
        dir.path().display()
    );
    let code = Launch::init(init).options(options).sh(&script).run().code();
    holds(code == 9, || format!("{code}"))?;
    match init {
        Init::Ours => holds(dir.at("file").exists(), || "killed".to_owned()),
        Init::Tini | Init::DumbInit | Init::Catatonit if dir.at("file").exists() => Ok(()),
        Init::Tini | Init::DumbInit | Init::Catatonit => no_option(),
    }
}
