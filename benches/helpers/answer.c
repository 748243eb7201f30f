// usage: answer    says that it is there, then the time of each SIGUSR1, and of the SIGTERM that ends it.
// Run as the wrapped command of `signals`.
#include "launch.h"

static void tell(int signal) {
    // 0: it is there; -1: it has been asked whether it still is.
    int64_t stamp = signal == SIGWINCH ? -1 : signal ? now() : 0;
    if (write(1, &stamp, sizeof stamp) != sizeof stamp || signal == SIGTERM) _exit(0);
}

int main(void) {
    // The very first: `signals loss` asks from when on a TERM ends it in an orderly way.
    struct sigaction action = {.sa_handler = tell};
    // One at a time: of two that are pending, the handler of the second would run first.
    sigfillset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    tell(0);
    for (;;) pause();
}
