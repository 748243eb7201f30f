// The floor for a wrapper in C: start, wait, pass the exit code on, and nothing of what an init owes. Reaps orphans.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    (void)argc;
    pid_t main_pid = vfork(), pid;
    if (main_pid == 0) {
        execve(argv[1], argv + 1, environ);
        _exit(127);
    }
    int status;
    while ((pid = waitpid(-1, &status, 0)) > 0)
        if (pid == main_pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 1;
}
