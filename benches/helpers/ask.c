// usage: ask STEPS PORT READY-PATH QUIT-PATH COMMAND…
// The bare helper: what remains of the job when everything is left out that can go wrong. STEPS are letters:
// w wait until ready, asking every millisecond · q ask to quit · v prove that it is gone, every 0.3 ms.
#include "launch.h"
#include "net.h"

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[2]), status = 0;
    if (strchr(argv[1], 'w'))
        while (request(port, "GET", argv[3]) != 200) pause_us(1000);
    pid_t pid = vfork();
    if (pid == 0) {
        execve(argv[5], argv + 5, environ);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    if (strchr(argv[1], 'q')) request(port, "POST", argv[4]);
    if (strchr(argv[1], 'v'))
        for (int fd; (fd = connect_to(port)) >= 0; pause_us(300)) close(fd);
    return WEXITSTATUS(status);
}
