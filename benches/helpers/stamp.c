// The measured command: tells when it began and when it ends, and does nothing else. Without a C library, so that
// what it costs itself is as little as can be. With an argument it lives for 10 ms.
struct timespec {
    long seconds, nanoseconds;
};

#if defined(__x86_64__)
enum { WRITE = 1, NANOSLEEP = 35, EXIT = 231, CLOCK_GETTIME = 228 };
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin\n");
#elif defined(__aarch64__)
enum { WRITE = 64, NANOSLEEP = 101, EXIT = 94, CLOCK_GETTIME = 113 };
static long call(long number, long a, long b, long c) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\nbl begin\n");
#else
#error "which system calls has this machine?"
#endif

static long now(void) {
    struct timespec t;
    call(CLOCK_GETTIME, 1, (long)&t, 0);
    return t.seconds * 1000000000 + t.nanoseconds;
}

__attribute__((used)) void begin(long *argc) {
    long stamps[2] = {now(), 0};
    if (*argc > 1) {
        struct timespec t = {0, 10000000};
        call(NANOSLEEP, (long)&t, 0, 0);
    }
    stamps[1] = now();
    call(WRITE, 1, (long)stamps, sizeof stamps);
    call(EXIT, 0, 0, 0);
    __builtin_unreachable();
}
