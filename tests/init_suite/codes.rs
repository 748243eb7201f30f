//! How an init ends.

use super::{Init, Verdict, holds, no_option};
use std::os::unix::process::ExitStatusExt as _;
use support::{Launch, TempDir, job};

pub fn every_exit_code_comes_through(init: Init) -> Verdict {
    for n in (0..=255).step_by(15) {
        let code = Launch::init(init).sh(&format!("exit {n}")).run().code();
        holds(code == n, || format!("{n} → {code}"))?;
    }
    Ok(())
}

pub fn a_death_by_signal_exits_128_plus_n(init: Init) -> Verdict {
    for n in [1, 2, 3, 6, 9, 11, 13, 15, 16, 30, 31, 34, 37, 50, 64] {
        let code = Launch::init(init).command(job(&["die", &n.to_string()])).run().code();
        holds(code == 128 + n, || format!("{n} → {code}"))?;
    }
    Ok(())
}

pub fn a_fault_of_the_command_is_its_own_death(init: Init) -> Verdict {
    let code = Launch::init(init).command(job(&["fault"])).run().code();
    holds(code == 139, || format!("{code}"))
}

pub fn a_command_that_is_not_there_exits_127(init: Init) -> Verdict {
    for command in ["no-such-command", "/no/such/command"] {
        let code = Launch::init(init).command([command]).run().code();
        holds(code == 127, || format!("{code}"))?;
    }
    Ok(())
}

pub fn a_command_that_cannot_be_executed_exits_126(init: Init) -> Verdict {
    let dir = TempDir::new();
    let file = dir.file("job.sh", "#!/bin/sh\n", 0o644);
    for command in [dir.path(), &file] {
        let code = Launch::init(init).command([command]).run().code();
        holds(code == 126, || format!("{code}"))?;
    }
    Ok(())
}

pub fn an_exec_failure_names_the_command(init: Init) -> Verdict {
    let told = Launch::init(init).command(["no-such-command"]).run().stderr;
    holds(told.contains("no-such-command"), || format!("says {:?}", told.trim()))
}

pub fn outside_pid_1_it_dies_of_the_signal_that_killed_the_command(init: Init) -> Verdict {
    for n in [2, 9, 15, 16, 29, 34, 64] {
        let status = Launch::init_as_process(init).command(job(&["die", &n.to_string()])).run().status;
        holds(status.signal() == Some(n), || format!("exits {}", status.code().unwrap_or(-1)))?;
    }
    Ok(())
}

pub fn options_end_at_the_command_without_two_dashes(init: Init) -> Verdict {
    let code = Launch::init(init).options(["sh", "-c", "exit 3"]).run().code();
    holds(code == 3, || format!("exits {code}"))
}

pub fn an_exit_code_can_be_mapped(init: Init) -> Verdict {
    let options = match init {
        Init::Ours => ["--map-exit", "143=0"],
        Init::Tini => ["-e", "143"],
        Init::DumbInit | Init::Catatonit => return no_option(),
    };
    let code = Launch::init(init).options(options).command(job(&["die", "15"])).run().code();
    holds(code == 0, || format!("{code}"))
}
