// Loopback, one request at a time: as much HTTP as a quit needs.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// A connection, or -1 when nobody listens.
static int connect_to(int port) {
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (!connect(fd, (struct sockaddr *)&address, sizeof address)) return fd;
    close(fd);
    return -1;
}

// Sends one request and returns the status of the answer, 0 for none.
static int request(int port, const char *method, const char *path) {
    char text[256];
    int status = 0, got = 0, more, fd = connect_to(port);
    if (fd < 0) return 0;
    int size = snprintf(text, sizeof text,
                        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, path);
    if (send(fd, text, size, MSG_NOSIGNAL) == size) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        while (got < 12 && poll(&readable, 1, 1000) == 1 && (more = read(fd, text + got, sizeof text - 1 - got)) > 0)
            got += more;
        text[got] = 0;
        sscanf(text, "HTTP/1.%*d %d", &status);
    }
    close(fd);
    return status;
}
