// What the measuring programs share: the clock, the table of contenders, launching one of them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROWS 32
#define MAX_WORDS 64
#define ROUNDS_TO_WARM_UP 10
#define ANSWER_MS 5000

extern char **environ;

static void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_us(long us) {
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&t, &t) && errno == EINTR) {}
}

// The command line of each contender, the measured command included.
static char *rows[MAX_ROWS][MAX_WORDS];
static int row_count;

// One contender per line, its words separated by tabs (an empty line: no wrapper at all).
static void read_rows(const char *path, char **command) {
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (row_count == MAX_ROWS) exit(2);
        int words = 0;
        for (char *rest = strdup(line), *word; (word = strsep(&rest, "\t")) && *word && words < MAX_WORDS / 2;)
            rows[row_count][words++] = word;
        for (int i = 0; command[i] && words < MAX_WORDS - 1; i++) rows[row_count][words++] = command[i];
        row_count++;
    }
    fclose(file);
}

// The order of the contenders in this round: another one each time, the same in every run of the harness.
static void shuffle(int *order) {
    static uint64_t seed = 88172645463325252ULL;
    for (int i = 0; i < row_count; i++) order[i] = i;
    for (int i = row_count - 1; i > 0; i--) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        int j = seed % (i + 1), swap = order[i];
        order[i] = order[j], order[j] = swap;
    }
}

struct launch {
    char **argv;
    int in, out;
};

// The processor that launched programs are bound to; -1: whichever the scheduler likes.
static int their_cpu = -1;

static void bind_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

// Two processors of those that we may use, the same one twice where there is but one.
static void two_processors(int cpus[2]) {
    cpu_set_t set;
    int found = 0;
    if (sched_getaffinity(0, sizeof set, &set)) die("sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus[found++] = cpu;
    if (found < 2) cpus[1] = cpus[0];
}

static int exec_it(void *data) {
    struct launch *launch = data;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (their_cpu >= 0) bind_to(their_cpu);
    if (launch->in >= 0) dup2(launch->in, 0);
    if (launch->out >= 0) dup2(launch->out, 1);
    execve(launch->argv[0], launch->argv, environ);
    _exit(127);
}

// Runs this command line; returns when it is executed, as after a vfork: nothing of this process is copied, so that
// its own size does not count. In a process namespace of its own (of which it is PID 1) or as an ordinary process.
static pid_t launch(char **argv, int pid1, int in, int out) {
    static char stack[64 * 1024] __attribute__((aligned(16)));
    struct launch it = {argv, in, out};
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (pid1) flags |= CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0);
    pid_t pid = clone(exec_it, stack + sizeof stack, flags, &it);
    if (pid < 0) die("clone");
    return pid;
}

static void make_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC)) die("pipe");
}

// Reads exactly so many bytes, or says whose fault it is: nothing here may hang.
static void take(int fd, void *data, size_t size, int row) {
    struct pollfd it = {.fd = fd, .events = POLLIN};
    for (size_t got = 0; got < size;) {
        ssize_t more = poll(&it, 1, ANSWER_MS) == 1 ? read(fd, (char *)data + got, size - got) : 0;
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) {
            fprintf(stderr, "contender %d (%s): its command does not answer\n", row, rows[row][0]);
            exit(1);
        }
        got += more;
    }
}

static void reap(pid_t pid, int row) {
    int status;
    if (waitpid(pid, &status, 0) != pid) die("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "contender %d (%s) ended with status %#x instead of exit code 0\n", row, rows[row][0], status);
        exit(1);
    }
}

// Without a controlling terminal, as in a container; what it says on standard error is not of interest.
static void settle_down(void) {
    setsid();
    int null = open("/dev/null", O_RDWR);
    if (null < 0) die("/dev/null");
    dup2(null, 0);
    close(null);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}
