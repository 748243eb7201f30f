// usage: pid1 COMMAND…    runs it as PID 1 of a process namespace, says which pid that is here, and ends with it.
// Ended from outside, it takes that whole namespace along.
#include "launch.h"
#include <sys/prctl.h>

static pid_t pid;

static void end(int signal) {
    (void)signal;
    kill(pid, SIGKILL);
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    settle_down();
    signal(SIGTERM, end);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    pid = launch(argv + 1, 1, -1, 2);
    printf("%d\n", pid);
    fflush(stdout);
    close(1);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    return 0;
}
