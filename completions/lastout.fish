# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lastout_global_optspecs
    string join \n sidecar= wait-timeout= on-wait-timeout= no-wait absent-after= env-file= stop-on= stop-timeout= linger= stop-signal= grace= leftovers= signal-group rewrite-signal= delay-signal= map-exit= group= group-size= group-name= group-wait= parent-death-signal= report= compat= log-level= log-format= h/help version
end

function __fish_lastout_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lastout_global_optspecs) -- $cmd 2>/dev/null
    or return 0
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lastout_using_subcommand
    set -l cmd (__fish_lastout_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lastout -n "__fish_lastout_needs_command" -l sidecar -d 'A sidecar to wait for and to stop: NAME[?][:key=value,...]; see `lastout presets`' -r -f -a "istio\t''
envoy\t''
linkerd\t''
cloud-sql-proxy\t''
alloydb-auth-proxy\t''
dapr\t''
consul-dataplane\t''
kuma\t''
vault-agent\t''
openbao-agent\t''
pushgateway\t''
prometheus\t''
statsd-exporter\t''
ghostunnel\t''
otel-collector\t''
fluent-bit\t''
graphite-exporter\t''
vector\t''
alloy\t''
pgbouncer\t''
datadog-agent\t''
spiffe-helper\t''
gcsfuse\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l wait-timeout -d 'How long to wait for the sidecars; 0 = for ever' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l on-wait-timeout -d 'When --wait-timeout is over: exit 124, or start the command all the same' -r -f -a "fail\t''
run\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l absent-after -d 'An optional sidecar (NAME?) that accepts no connection this long is absent' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l env-file -d 'Read KEY=value lines from FILE just before the command starts; with vault-agent or openbao-agent, wait for FILE first' -r -F
complete -c lastout -n "__fish_lastout_needs_command" -l stop-on -d 'After which exit codes to stop the sidecars (CODES: 0,3,64-78); `success` for restartPolicy OnFailure' -r -f -a "always\t''
success\t''
never\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l stop-timeout -d 'The most time for stopping all sidecars' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l linger -d 'Pause between the command\'s end and the stop' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l stop-signal -d 'Signals that ask for the end: they end the wait, and start --grace' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l grace -d 'Kill the command this long after a stop signal' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l leftovers -d 'Send TERM to processes that the command left behind, and wait this long for them' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l rewrite-signal -d 'Forward TO instead of FROM; TO may be `drop`' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l delay-signal -d 'Hold a signal back this long before forwarding it' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l map-exit -d 'Turn an exit code of the command into another, such as 143=0' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l group -d 'Folder shared by several mains (the pod\'s jobs); the last one to end stops the sidecars' -r -f -a "(__fish_complete_directories)"
complete -c lastout -n "__fish_lastout_needs_command" -l group-size -d 'The number of mains of the group' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l group-name -d 'This main\'s own name in the group' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l group-wait -d 'Count a main as ended if it has not registered in this time' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l parent-death-signal -d 'If not PID 1: the signal to get when the parent process ends' -r -f
complete -c lastout -n "__fish_lastout_needs_command" -l report -d 'Write a JSON report at the end (-: one line on stderr)' -r -F
complete -c lastout -n "__fish_lastout_needs_command" -l compat -d 'Read that program\'s variables, too' -r -f -a "scuttle\t''
linkerd-await\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l log-level -d 'How much to write to stderr' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l log-format -d 'How lines on stderr are written; json: time, severity, message, sidecar' -r -f -a "text\t''
json\t''"
complete -c lastout -n "__fish_lastout_needs_command" -l no-wait -d 'Start the command at once'
complete -c lastout -n "__fish_lastout_needs_command" -l signal-group -d 'Forward signals to the command\'s whole process group'
complete -c lastout -n "__fish_lastout_needs_command" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_needs_command" -l version -d 'The version'
complete -c lastout -n "__fish_lastout_needs_command" -a "install" -d 'Copies this program to DEST, a folder that exists or a file name'
complete -c lastout -n "__fish_lastout_needs_command" -a "wait" -d 'Waits until the sidecars are ready, and exits'
complete -c lastout -n "__fish_lastout_needs_command" -a "stop" -d 'Stops the sidecars and checks that they are gone'
complete -c lastout -n "__fish_lastout_needs_command" -a "guard" -d 'Runs a sidecar as its COMMAND until the mains that share DIR have ended, then ends it'
complete -c lastout -n "__fish_lastout_needs_command" -a "sleep" -d 'Sleeps'
complete -c lastout -n "__fish_lastout_needs_command" -a "presets" -d 'Prints the known sidecars'
complete -c lastout -n "__fish_lastout_using_subcommand install" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l sidecar -d 'A sidecar to wait for and to stop: NAME[?][:key=value,...]; see `lastout presets`' -r -f -a "istio\t''
envoy\t''
linkerd\t''
cloud-sql-proxy\t''
alloydb-auth-proxy\t''
dapr\t''
consul-dataplane\t''
kuma\t''
vault-agent\t''
openbao-agent\t''
pushgateway\t''
prometheus\t''
statsd-exporter\t''
ghostunnel\t''
otel-collector\t''
fluent-bit\t''
graphite-exporter\t''
vector\t''
alloy\t''
pgbouncer\t''
datadog-agent\t''
spiffe-helper\t''
gcsfuse\t''"
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l wait-timeout -d 'How long to wait for the sidecars; 0 = for ever' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l on-wait-timeout -d 'When --wait-timeout is over: exit 124, or start the command all the same' -r -f -a "fail\t''
run\t''"
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l absent-after -d 'An optional sidecar (NAME?) that accepts no connection this long is absent' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l stop-signal -d 'Signals that ask for the end: they end the wait, and start --grace' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l report -d 'Write a JSON report at the end (-: one line on stderr)' -r -F
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l compat -d 'Read that program\'s variables, too' -r -f -a "scuttle\t''
linkerd-await\t''"
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l log-level -d 'How much to write to stderr' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c lastout -n "__fish_lastout_using_subcommand wait" -l log-format -d 'How lines on stderr are written; json: time, severity, message, sidecar' -r -f -a "text\t''
json\t''"
complete -c lastout -n "__fish_lastout_using_subcommand wait" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l sidecar -d 'A sidecar to wait for and to stop: NAME[?][:key=value,...]; see `lastout presets`' -r -f -a "istio\t''
envoy\t''
linkerd\t''
cloud-sql-proxy\t''
alloydb-auth-proxy\t''
dapr\t''
consul-dataplane\t''
kuma\t''
vault-agent\t''
openbao-agent\t''
pushgateway\t''
prometheus\t''
statsd-exporter\t''
ghostunnel\t''
otel-collector\t''
fluent-bit\t''
graphite-exporter\t''
vector\t''
alloy\t''
pgbouncer\t''
datadog-agent\t''
spiffe-helper\t''
gcsfuse\t''"
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l stop-timeout -d 'The most time for stopping all sidecars' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l report -d 'Write a JSON report at the end (-: one line on stderr)' -r -F
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l compat -d 'Read that program\'s variables, too' -r -f -a "scuttle\t''
linkerd-await\t''"
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l log-level -d 'How much to write to stderr' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c lastout -n "__fish_lastout_using_subcommand stop" -l log-format -d 'How lines on stderr are written; json: time, severity, message, sidecar' -r -f -a "text\t''
json\t''"
complete -c lastout -n "__fish_lastout_using_subcommand stop" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l sidecar -d 'A sidecar to wait for and to stop: NAME[?][:key=value,...]; see `lastout presets`' -r -f -a "istio\t''
envoy\t''
linkerd\t''
cloud-sql-proxy\t''
alloydb-auth-proxy\t''
dapr\t''
consul-dataplane\t''
kuma\t''
vault-agent\t''
openbao-agent\t''
pushgateway\t''
prometheus\t''
statsd-exporter\t''
ghostunnel\t''
otel-collector\t''
fluent-bit\t''
graphite-exporter\t''
vector\t''
alloy\t''
pgbouncer\t''
datadog-agent\t''
spiffe-helper\t''
gcsfuse\t''"
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l stop-timeout -d 'The most time for stopping all sidecars' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l stop-signal -d 'Signals that ask for the end: they end the wait, and start --grace' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l grace -d 'Kill the command this long after a stop signal' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l group -d 'Folder shared by several mains (the pod\'s jobs); the last one to end stops the sidecars' -r -f -a "(__fish_complete_directories)"
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l group-size -d 'The number of mains of the group' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l group-wait -d 'Count a main as ended if it has not registered in this time' -r -f
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l report -d 'Write a JSON report at the end (-: one line on stderr)' -r -F
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l log-level -d 'How much to write to stderr' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c lastout -n "__fish_lastout_using_subcommand guard" -l log-format -d 'How lines on stderr are written; json: time, severity, message, sidecar' -r -f -a "text\t''
json\t''"
complete -c lastout -n "__fish_lastout_using_subcommand guard" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand sleep" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand presets" -s h -l help -d 'The options'
complete -c lastout -n "__fish_lastout_using_subcommand presets" -l json -d 'An array of objects'
