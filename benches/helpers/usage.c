// usage OUT COMMAND…: what one run takes: wall time in µs, processor time in µs, peak memory in KiB, exit code.
// A harness in Python cannot ask that itself: its own memory would count as the peak of what it starts.
#include "launch.h"

static int64_t micros(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (out < 0 || null < 0) die(argv[1]);
    int64_t start = now();
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        dup2(null, 0), dup2(out, 1), dup2(null, 2);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) < 0) die("wait4");
    int64_t end = now();
    printf("%lld %lld %ld %d\n", (long long)(end - start) / 1000,
           (long long)(micros(used.ru_utime) + micros(used.ru_stime)), used.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}
