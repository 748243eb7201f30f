// usage: zombies ROUNDS CONTENDERS ORPHANS trickle|burst N
// Launches each contender as PID 1 around `orphans`. Per life a line: contender, its processor time in ns while
// N orphans were reaped; then `lag` lines: contender, "lag", ns from an orphan's last act until nobody knows its pid.
#include "launch.h"

// Nanoseconds on a processor, from the scheduler's own book-keeping: far finer than the ticks of getrusage.
static long long spent(pid_t pid) {
    char path[64];
    long long ns = -1;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%lld", &ns) != 1) die(path);
    fclose(file);
    return ns;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int rounds = atoi(argv[1]), order[MAX_ROWS], to[2], from[2];
    read_rows(argv[2], argv + 3);
    settle_down();
    int cpus[2];
    two_processors(cpus);
    // The wrapper and the orphans run on the second one; who watches them, on the first.
    bind_to(cpus[0]);
    their_cpu = cpus[1];
    char first[16];
    snprintf(first, sizeof first, "%d", cpus[0]);
    setenv("WATCH_FROM", first, 1);
    make_pipe(to);
    make_pipe(from);
    for (int round = 0; round < rounds; round++) {
        shuffle(order);
        for (int i = 0; i < row_count; i++) {
            int row = order[i];
            pid_t pid = launch(rows[row], 1, to[0], from[1]);
            long long before = 0;
            for (int64_t message;;) {
                take(from[0], &message, sizeof message, row);
                if (message == -1) {
                    before = spent(pid);
                } else if (message == -2) {
                    printf("%d cpu %lld\n", row, spent(pid) - before);
                } else {
                    printf("%d lag %lld\n", row, (long long)message);
                    continue;
                }
                if (write(to[1], "x", 1) != 1) die("write");
                if (message == -2) break;
            }
            reap(pid, row);
        }
    }
    return 0;
}
