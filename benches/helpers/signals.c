// usage: signals latency ROUNDS CONTENDERS ANSWER    contender, then ns from kill to the command's handler
//        signals term ROUNDS CONTENDERS ANSWER       contender, ns from kill to the handler, ns to the contender's end
//        signals loss ROUNDS CONTENDERS ANSWER       contender, delay in ns after execve, 1 if that TERM was lost
// Each contender is PID 1 of a process namespace, whose kernel drops a TERM that nobody has asked for yet.
#include "launch.h"

#define SIGNALS_PER_LIFE 10
#define LOSS_STEP 20000
#define LOSS_END 6000000
#define SPIN_NS 150000

static int ends[2];

static pid_t start(int row) {
    int64_t there;
    pid_t pid = launch(rows[row], 1, -1, ends[1]);
    take(ends[0], &there, sizeof there, row);
    pause_us(3000); // so that whatever a wrapper does after the start is over
    return pid;
}

static int64_t send(pid_t pid, int signal, int row) {
    int64_t got, before = now();
    if (kill(pid, signal)) die("kill");
    take(ends[0], &got, sizeof got, row);
    return got - before;
}

static void latency(int row) {
    pid_t pid = start(row);
    for (int i = 0; i < SIGNALS_PER_LIFE; i++) {
        printf("%d %lld\n", row, (long long)send(pid, SIGUSR1, row));
        pause_us(500);
    }
    send(pid, SIGTERM, row);
    reap(pid, row);
}

static void term(int row) {
    pid_t pid = start(row);
    int64_t got, before = now();
    if (kill(pid, SIGTERM)) die("kill");
    reap(pid, row);
    int64_t after = now();
    take(ends[0], &got, sizeof got, row);
    printf("%d %lld %lld\n", row, (long long)(got - before), (long long)(after - before));
}

// A TERM so long after execve: does anything end by it? It was lost when the command still answers a later signal.
// That one is WINCH: its number is higher, so that a pending TERM comes first, and it ends nobody that ignores it.
static void loss(int row, int64_t delay) {
    pid_t pid = launch(rows[row], 1, -1, ends[1]);
    int64_t executed = now(), got = 0;
    struct pollfd said = {.fd = ends[0], .events = POLLIN};
    if (delay > SPIN_NS) pause_us((delay - SPIN_NS) / 1000);
    while (now() - executed < delay) {}
    if (kill(pid, SIGTERM)) die("kill");
    int lost = 0, there = 0;
    while (!lost && !waitpid(pid, NULL, WNOHANG)) {
        if (now() - executed > ANSWER_MS * 1000000LL) exit(1);
        if (poll(&said, 1, 1) == 1 && read(ends[0], &got, sizeof got) == sizeof got) there = 1, lost = got == -1;
        if (there && !lost) kill(pid, SIGWINCH);
    }
    if (lost) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    printf("%d %lld %d\n", row, (long long)delay, lost);
    char rest[256];
    while (read(ends[0], rest, sizeof rest) > 0) {}
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int rounds = atoi(argv[2]), order[MAX_ROWS];
    read_rows(argv[3], argv + 4);
    settle_down();
    make_pipe(ends);
    if (!strcmp(argv[1], "loss")) {
        // We count microseconds on one processor while they start on the other one.
        int cpus[2];
        two_processors(cpus);
        if (cpus[0] == cpus[1]) {
            fputs("two processors are needed\n", stderr);
            return 1;
        }
        bind_to(cpus[0]);
        their_cpu = cpus[1];
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        for (int round = 0; round < rounds; round++)
            for (int64_t delay = 0; delay < LOSS_END; delay += LOSS_STEP) {
                shuffle(order);
                for (int i = 0; i < row_count; i++) loss(order[i], delay);
            }
        return 0;
    }
    for (int round = 0; round < rounds; round++) {
        shuffle(order);
        for (int i = 0; i < row_count; i++) (*argv[1] == 'l' ? latency : term)(order[i]);
    }
    return 0;
}
