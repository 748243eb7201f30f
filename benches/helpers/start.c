// usage: start pid1|plain ROUNDS CONTENDERS COMMAND…
// Launches each contender in turn around `stamp`. One line per launch: contender, then in nanoseconds from the
// launch: the command began, the command's last act, the contender is gone; page faults of all together.
#include "launch.h"

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int pid1 = !strcmp(argv[1], "pid1"), rounds = atoi(argv[2]) + ROUNDS_TO_WARM_UP, order[MAX_ROWS];
    read_rows(argv[3], argv + 4);
    settle_down();
    int ends[2];
    make_pipe(ends);
    for (int round = 0; round < rounds; round++) {
        shuffle(order);
        for (int i = 0; i < row_count; i++) {
            int row = order[i], status;
            struct rusage used;
            int64_t stamps[2], before = now();
            pid_t pid = launch(rows[row], pid1, -1, ends[1]);
            if (wait4(pid, &status, 0, &used) != pid) die("wait4");
            int64_t after = now();
            if (status) {
                fprintf(stderr, "contender %d (%s) ended with status %#x\n", row, rows[row][0], status);
                return 1;
            }
            // Its writing end is ours as well: nothing in it means that the command never ran.
            take(ends[0], stamps, sizeof stamps, row);
            if (round >= ROUNDS_TO_WARM_UP)
                printf("%d %lld %lld %lld %ld\n", row, (long long)(stamps[0] - before), (long long)(stamps[1] - before),
                       (long long)(after - before), used.ru_minflt + used.ru_majflt);
        }
    }
    return 0;
}
