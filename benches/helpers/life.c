// usage: life short MS exit|signal|caught|waits N [leave]    the command of a life of `benches/soak/run`
//        life long FILE                             the command of its long-lived wrapper
// short: says that it is there (one byte), and ends after so many milliseconds: with exit code N, by signal N, or, for
// "caught", with N when TERM comes; "waits" waits for TERM and does not catch it. With "leave" an orphan stays behind.
// The last act of one that ends by itself is a byte to the file ENDS, where the environment names one.
// long: makes orphans, and counts in FILE, which it maps: orphans in the first number (64 bits each), then how often each
// signal has come. Of what is pending the lowest number is counted first. TERM ends it with exit code 42, and makes no orphan
// any more a moment before that.
#include "launch.h"
#include <sys/mman.h>
#include <sys/prctl.h>

#define NUMBERS 128
#define PAUSE_US 10000
// So many loops apart, so many orphans at once.
#define BURST_EVERY 1000
#define BURST 200
// One of so many orphans lives for seconds.
#define OLD_ONES 100

static volatile sig_atomic_t over;
static _Atomic uint64_t *numbers;

static void count(int signal) {
    numbers[signal]++;
}

static void end(int signal) {
    (void)signal;
    over = 1;
}

static void last_act(void) {
    const char *path = getenv("ENDS");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;
    if (path && (fd < 0 || write(fd, "x", 1) != 1)) die(path);
}

// A child's child, which the end of its parent makes an orphan; it lives for so long.
static void make_orphan(long us) {
    pid_t parent = fork();
    if (parent < 0) die("fork");
    if (parent == 0) {
        pid_t pid = fork();
        if (pid == 0) pause_us(us);
        _exit(pid < 0);
    }
    int status;
    while (waitpid(parent, &status, 0) < 0)
        if (errno != EINTR) die("waitpid");
    if (status) die("an orphan's parent");
}

static int live_short(int argc, char **argv) {
    if (argc < 5) return 2;
    int caught = !strcmp(argv[3], "caught"), waits = caught || !strcmp(argv[3], "waits"), number = atoi(argv[4]);
    // A wrapper that is killed outside a process namespace takes nobody along.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Before the handler, so that TERM ends the orphan.
    if (argc > 5) make_orphan(60000000L);
    if (caught) signal(SIGTERM, end);
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    if (write(1, "b", 1) != 1) die("stdout");
    if (waits)
        while (!over) sigsuspend(&before);
    else
        pause_us(atol(argv[2]) * 1000);
    last_act();
    if (!strcmp(argv[3], "signal")) {
        // Whoever started the soak may ignore it, as nohup does HUP, and that is inherited.
        if (number != SIGKILL) signal(number, SIG_DFL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        raise(number);
    }
    return number;
}

static int live_long(const char *path) {
    int fd = open(path, O_RDWR);
    if (fd < 0) die(path);
    numbers = mmap(NULL, NUMBERS * sizeof *numbers, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (numbers == MAP_FAILED) die(path);
    struct sigaction counts = {.sa_handler = count, .sa_flags = SA_RESTART}, ends = {.sa_handler = end};
    // The kernel takes the lowest pending signal first; but without this the handler of the next one would run on top of its
    // handler, and count before it.
    sigfillset(&counts.sa_mask);
    int counted[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGIO, SIGPWR};
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) sigaction(counted[i], &counts, NULL);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) sigaction(signal, &counts, NULL);
    sigaction(SIGTERM, &ends, NULL);
    if (write(1, "b", 1) != 1) die("stdout");
    srandom(1);
    for (long loop = 1; !over; loop++) {
        long us = random() % OLD_ONES ? random() % 30000 : random() % 20000000;
        int many = loop % BURST_EVERY ? 1 : BURST;
        for (int i = 0; i < many && !over; i++, numbers[0]++) make_orphan(us);
        // One nanosleep, which a signal may cut short: a signal is no reason to be late.
        struct timespec t = {0, PAUSE_US * 1000};
        nanosleep(&t, NULL);
    }
    return 42;
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "long")) return live_long(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "short")) return live_short(argc, argv);
    return 2;
}
