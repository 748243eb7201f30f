// usage: probe PORT READY-PATH
// Watches a sidecar from outside: writes the time of its first 200, and after that the time when its port refuses
// again, each as 8 bytes of CLOCK_MONOTONIC in ns. Looks five times in a millisecond while the end is near, which is
// when somebody writes to its standard input.
#include "launch.h"
#include "net.h"

static void tell(void) {
    int64_t stamp = now();
    if (write(1, &stamp, sizeof stamp) != sizeof stamp) exit(1);
}

int main(int argc, char **argv) {
    char byte;
    if (argc != 3) return 2;
    int port = atoi(argv[1]), fd;
    while (request(port, "GET", argv[2]) != 200) pause_us(500);
    tell();
    if (read(0, &byte, 1) != 1) return 1;
    while ((fd = connect_to(port)) >= 0) {
        close(fd);
        pause_us(200);
    }
    tell();
    return 0;
}
