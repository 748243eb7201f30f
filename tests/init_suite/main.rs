//! One behaviour suite for ours, tini, dumb-init and catatonit: what an init should do, whoever wrote it.
//!
//! Every behaviour is a test for the init that `INIT_UNDER_TEST` names. `scripts/init-table` runs them all on
//! all inits and writes the outcome into `docs/init.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly, and the table is told as it grows"
)]

mod codes;
mod inherits;
mod itself;
mod reaping;
mod refused;
mod rules;
mod signals;
mod table;
mod terminal;

use support::{Init, thorough};

support::test_program!();

/// What a behaviour says of an init; a panic is a no without a reason.
type Verdict = Result<(), String>;

/// The verdict on an init that has no option for this.
fn no_option<T>() -> Result<T, String> {
    Err("no such option".to_owned())
}

/// `Ok` if it is so.
fn holds(so: bool, else_why: impl FnOnce() -> String) -> Verdict {
    if so { Ok(()) } else { Err(else_why()) }
}

fn judge(behaviour: fn(Init) -> Verdict) {
    let init = Init::under_test();
    if init.program().is_none() {
        return support::skip(&format!("{init:?} is not installed"));
    }
    if let Err(why) = behaviour(init) {
        panic!("{init:?}: {why}");
    }
}

macro_rules! suite {
    ($($title:literal $module:ident { $($name:ident)* })*) => {
        $($(#[test] fn $name() { judge($module::$name) })*)*
        /// Title and behaviours of each part.
        const SUITE: &[(&str, &[(&str, fn(Init) -> Verdict)])] = &[
            $(($title, &[$((stringify!($name), $module::$name)),*])),*
        ];
    };
}

suite! {
    "How it ends" codes {
        every_exit_code_comes_through
        a_death_by_signal_exits_128_plus_n
        a_fault_of_the_command_is_its_own_death
        a_command_that_is_not_there_exits_127
        a_command_that_cannot_be_executed_exits_126
        an_exec_failure_names_the_command
        outside_pid_1_it_dies_of_the_signal_that_killed_the_command
        options_end_at_the_command_without_two_dashes
        an_exit_code_can_be_mapped
    }
    "What the command inherits" inherits {
        blocked_signals_stay_blocked
        ignored_signals_stay_ignored
        an_ignored_chld_stays_ignored_and_the_code_is_known
        a_clean_signal_state_stays_clean
        arguments_byte_for_byte
        environment_byte_for_byte
        working_directory_and_umask
        resource_limits
        open_descriptors
        standard_descriptors_that_are_closed_stay_closed
        identity_capabilities_and_scheduling
        listen_pid_names_the_command
    }
    "What the init keeps" itself {
        no_working_directory
        no_inherited_descriptor
        no_wake_up_while_the_command_runs
        one_thread
    }
    "Signals" signals {
        each_signal_reaches_the_command_once
        each_real_time_signal_reaches_the_command_once
        the_stop_signals_of_a_terminal_reach_the_command
        a_fault_signal_that_a_process_sent_is_forwarded
        bursts_of_all_signals_lose_none
        term_at_the_fork_is_never_lost
        term_at_the_fork_is_never_lost_with_the_group
        term_again_and_again_is_forwarded_each_time
        the_process_group_gets_it_on_request
        a_command_that_may_not_be_signalled_is_no_failure
        a_flood_of_signals_does_not_hide_the_end_of_the_command
    }
    "Reaping" reaping {
        orphans_are_reaped
        outside_pid_1_orphans_are_adopted_without_an_option
        the_end_of_the_command_among_4000_others_is_seen
        an_orphan_that_holds_stdout_holds_nothing_up
        what_the_command_leaves_behind_can_be_ended_with_grace
    }
    "On a terminal, as PID 1" terminal {
        the_command_is_in_the_foreground
        ctrl_c_arrives_once
        ctrl_backslash_arrives_once
        a_resize_arrives_once
        a_hang_up_arrives_once
        ctrl_c_exits_130
        outside_pid_1_ctrl_c_is_death_by_int
        an_interactive_shell_is_at_home
    }
    "On a terminal, as a job of a shell" terminal {
        ctrl_c_breaks_the_loop_that_called_it
        ctrl_z_stops_the_job_and_fg_continues_all_of_it
        a_stopped_job_goes_on_in_the_background
        a_background_job_that_reads_is_stopped
        a_background_job_takes_no_terminal
        the_foreground_is_given_back
    }
    "Rules for signals" rules {
        a_signal_can_be_rewritten
        a_signal_can_be_dropped
        a_signal_can_be_delayed
        kill_follows_a_term_that_is_not_obeyed
        it_can_follow_its_own_parent
    }
    "Where the kernel refuses" refused {
        codes_and_signals_without_prctl
        codes_and_signals_without_signalfd
        codes_and_signals_without_close_range
        codes_and_signals_without_pidfd_open
        outside_pid_1_without_prctl
    }
}
