// usage: stops ROUNDS CONTENDERS STAMP 10ms
// Launches each contender as PID 1 beside a sidecar of our own, whose port stands for {port} in its words: it is
// ready at a known moment, and after the quit request it lives on for a while. Per life: contender, then in ns:
// ready until the command began; the command's last act until the request is there; the last act until the
// contender is gone; the port refuses until the contender is gone.
#include "launch.h"
#include "net.h"

#define READY_US(chance) (8000 + (chance) % 30000)
#define DRAIN_US(chance) (1000 + (chance) % 12000)

static int64_t serve_until(int listener, int64_t end, int64_t ready) {
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    for (;;) {
        int64_t left = end - now();
        struct timespec timeout = {left / 1000000000, left % 1000000000};
        if (left <= 0 || ppoll(&waiting, 1, &timeout, NULL) != 1) return 0;
        char text[1024];
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        int64_t got = now();
        if (size > 0) {
            const char *answer = *text == 'P' || got >= ready
                                     ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"
                                     : "HTTP/1.1 503 Not Yet\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) got = 0;
        }
        close(fd);
        if (size > 0 && *text == 'P') return got;
    }
}

static void sidecar(int listener, int out, unsigned chance) {
    int64_t stamps[3] = {now() + READY_US(chance) * 1000};
    stamps[1] = serve_until(listener, now() + 5000000000LL, stamps[0]);
    serve_until(listener, now() + DRAIN_US(chance) * 1000, 0);
    stamps[2] = now();
    close(listener);
    _exit(write(out, stamps, sizeof stamps) != sizeof stamps);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int rounds = atoi(argv[1]), order[MAX_ROWS], main_pipe[2], sidecar_pipe[2];
    read_rows(argv[2], argv + 3);
    settle_down();
    make_pipe(main_pipe);
    make_pipe(sidecar_pipe);
    for (int round = 0; round < rounds; round++) {
        shuffle(order);
        unsigned chance = round * 2654435761u; // the same for all contenders of a round
        for (int i = 0; i < row_count; i++) {
            int row = order[i], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            struct sockaddr_in address = loopback(0);
            socklen_t size = sizeof address;
            if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64) ||
                getsockname(listener, (struct sockaddr *)&address, &size))
                die("listen");
            static char words[MAX_WORDS][512];
            char *argv_here[MAX_WORDS] = {0};
            for (int w = 0; rows[row][w]; w++) {
                char *mark = strstr(rows[row][w], "{port}");
                argv_here[w] = rows[row][w];
                if (!mark) continue;
                snprintf(words[w], sizeof *words, "%.*s%d%s", (int)(mark - rows[row][w]), rows[row][w],
                         ntohs(address.sin_port), mark + 6);
                argv_here[w] = words[w];
            }
            pid_t server = fork();
            if (server == 0) sidecar(listener, sidecar_pipe[1], chance);
            close(listener);
            pid_t pid = launch(argv_here, 1, -1, main_pipe[1]);
            reap(pid, row);
            int64_t gone = now(), stamps[2], theirs[3];
            take(main_pipe[0], stamps, sizeof stamps, row);
            take(sidecar_pipe[0], theirs, sizeof theirs, row);
            waitpid(server, NULL, 0);
            printf("%d %lld %lld %lld %lld\n", row, (long long)(stamps[0] - theirs[0]), (long long)(theirs[1] - stamps[1]),
                   (long long)(gone - stamps[1]), (long long)(gone - theirs[2]));
        }
    }
    return 0;
}
