// trials MODE [COUNT]: what is hard on a tracer. Symbols have fixed addresses, so that tests find them with nm.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

volatile uint64_t turns;   // moves on while the program does what it is meant to
volatile uint64_t signals; // signals that were handled
volatile uint64_t value;   // to be watched
volatile int end;          // set by the test
volatile int returned;     // set by the test
static char **arguments;
static int count;

// The instruction at "counted" is none that can be carried out without running it.
void counted(void);
__asm__(".text\n.globl counted\ncounted: xor %eax, %eax\nret\n");
// A system call with nothing before it.
void called(void);
__asm__(".text\n.globl called\n.globl called_returned\ncalled: mov $39, %eax\nsyscall\ncalled_returned: nop\nret\n");

static void turn(void)
{
    __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
}

static void start(void *(*body)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, NULL))
        exit(3);
    pthread_detach(thread);
}

static void *counts(void *unused)
{
    for (int i = 0; i < 50; i++)
        counted();
    turn();
    return unused;
}

static void *counts_for_ever(void *unused)
{
    for (;;) {
        counted();
        turn();
    }
    return unused;
}

static void *beats(void *unused)
{
    while (!end) {
        turn();
        usleep(1000);
    }
    exit(5);
    return unused;
}

static void *sleeps(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void *nothing(void *unused)
{
    turn();
    return unused;
}

static void *churns(void *unused)
{
    for (;;) {
        pthread_t thread;
        if (!pthread_create(&thread, NULL, nothing, NULL))
            pthread_join(thread, NULL);
    }
    return unused;
}

static void *executes(void *unused)
{
    char rest[16];
    snprintf(rest, sizeof rest, "%d", count - 1);
    execl(arguments[0], arguments[0], arguments[1], rest, NULL);
    exit(3);
    return unused;
}

static void *forks(void *unused)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            counted();
            _exit(0);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            exit(4);
        turn();
    }
    return unused;
}

static void *vforks(void *unused)
{
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            counted();
            _exit(0);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            exit(4);
        turn();
    }
    return unused;
}

// A child that keeps its parent's thread waiting until the test sets "returned".
static void *lends(void *unused)
{
    pid_t child = vfork();
    if (child == 0) {
        while (!returned)
            usleep(1000);
        counted();
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(4);
    turn();
    return unused;
}

static void handler(int signal)
{
    (void)signal;
    __atomic_add_fetch(&signals, 1, __ATOMIC_SEQ_CST);
}

static void *vforks_quietly(void *unused)
{
    for (;;) {
        pid_t child = vfork();
        if (child == 0)
            _exit(0);
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            exit(4);
    }
    return unused;
}

// No signal is lost, and none comes twice.
static void raises(void)
{
    for (;;) {
        raise(SIGUSR1);
        turn();
        if (signals != turns)
            exit(4);
    }
}

static void *writes(void *unused)
{
    value = 1;
    return unused;
}

int main(int argc, char **argv)
{
    arguments = argv;
    count = argc > 2 ? atoi(argv[2]) : 0;
    const char *mode = argc > 1 ? argv[1] : "";
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    if (!strcmp(mode, "hits") || !strcmp(mode, "hits-among-vforks")) {
        if (mode[4])
            start(vforks_quietly);
        for (int i = 0; i < count; i++)
            start(counts);
        while (turns < (uint64_t)count)
            usleep(1000);
        return 0;
    }
    if (!strcmp(mode, "hits-for-ever")) {
        for (int i = 0; i < count; i++)
            start(counts_for_ever);
    } else if (!strcmp(mode, "beats")) {
        for (int i = 0; i < count; i++)
            start(beats);
    } else if (!strcmp(mode, "crowd")) {
        for (int i = 0; i < count; i++)
            start(sleeps);
        start(beats);
    } else if (!strcmp(mode, "leaderless") || !strcmp(mode, "loses-its-leader")) {
        for (int i = 0; i < count; i++)
            start(beats);
        while (!returned && !strcmp(mode, "loses-its-leader"))
            usleep(1000);
        pthread_exit(NULL);
    } else if (!strcmp(mode, "churns")) {
        for (int i = 0; i < count; i++)
            start(churns);
    } else if (!strcmp(mode, "executes")) {
        if (count == 0)
            return 7;
        start(executes);
    } else if (!strcmp(mode, "leaderless-executes")) {
        if (count == 0)
            return 7;
        start(executes);
        pthread_exit(NULL);
    } else if (!strcmp(mode, "forks")) {
        for (int i = 0; i < count; i++)
            start(forks);
    } else if (!strcmp(mode, "vforks")) {
        for (int i = 0; i < count; i++)
            start(vforks);
    } else if (!strcmp(mode, "lends")) {
        start(lends);
        start(beats);
    } else if (!strcmp(mode, "raises")) {
        raises();
    } else if (!strcmp(mode, "calls")) {
        start(beats);
        for (;;)
            called();
    } else if (!strcmp(mode, "writes")) {
        for (int i = 0; i < count; i++) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, writes, NULL) || pthread_join(thread, NULL))
                return 3;
        }
        return 0;
    } else if (!strcmp(mode, "waits")) {
        start(beats);
        counted();
        uint64_t before = turns;
        while (turns < before + 2)
            ;
        return 6;
    }
    for (;;)
        pause();
}
