// usage: orphans trickle|burst N    makes N orphans and tells how long each stayed a zombie.
// Run as the wrapped command of `zombies`, which reads the wrapper's processor time between the two bytes.
#include "launch.h"
#include <sys/mman.h>

#define TRICKLE_US 500

static int64_t *stamps;
static pid_t *orphans;
static int release[2], cpus[2];

// A child's child, which the end of its parent makes an orphan. It ends when the pipe says so.
static pid_t make_orphan(int index) {
    int pid_pipe[2];
    make_pipe(pid_pipe);
    pid_t parent = fork();
    if (parent < 0) die("fork");
    if (parent == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            char byte;
            bind_to(cpus[1]);
            close(release[1]);
            if (read(release[0], &byte, 1) < 0) _exit(1);
            stamps[index] = now();
            _exit(0);
        }
        _exit(write(pid_pipe[1], &pid, sizeof pid) != sizeof pid || pid < 0);
    }
    pid_t pid;
    close(pid_pipe[1]);
    if (read(pid_pipe[0], &pid, sizeof pid) != sizeof pid) die("orphan");
    close(pid_pipe[0]);
    waitpid(parent, NULL, 0);
    return pid;
}

static void wait_until_reaped(pid_t pid) {
    int64_t limit = now() + 5000000000LL;
    while (!kill(pid, 0)) {
        if (now() > limit) exit(3);
        sched_yield();
    }
}

static void ask_for_leave(char what) {
    int64_t message = -what;
    if (write(1, &message, sizeof message) != sizeof message || read(0, &what, 1) != 1) exit(4);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int trickle = !strcmp(argv[1], "trickle"), count = atoi(argv[2]);
    size_t size = count * sizeof *stamps;
    stamps = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    orphans = calloc(count, sizeof *orphans);
    if (stamps == MAP_FAILED || !orphans) die("memory");
    make_pipe(release);
    two_processors(cpus); // the one that the wrapper has been bound to
    if (getenv("WATCH_FROM")) bind_to(atoi(getenv("WATCH_FROM")));
    if (!trickle)
        for (int i = 0; i < count; i++) orphans[i] = make_orphan(i);
    pause_us(20000); // the wrapper has nothing to do any more
    ask_for_leave(1);
    int64_t lag = 0;
    for (int i = 0; trickle && i < count; i++) {
        orphans[i] = make_orphan(i);
        pause_us(TRICKLE_US);
        if (write(release[1], "x", 1) != 1) die("release");
        wait_until_reaped(orphans[i]);
        lag = now() - stamps[i];
        if (write(1, &lag, sizeof lag) != sizeof lag) return 4;
    }
    if (!trickle) {
        close(release[1]);
        int64_t last = 0;
        for (int i = 0; i < count; i++)
            while (!kill(orphans[i], 0)) pause_us(50);
        lag = now();
        for (int i = 0; i < count; i++)
            if (stamps[i] > last) last = stamps[i];
        lag -= last;
        if (write(1, &lag, sizeof lag) != sizeof lag) return 4;
    }
    pause_us(20000);
    ask_for_leave(2);
    return 0;
}
