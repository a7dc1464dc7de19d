// A program that shows from outside whether it runs: beats FILE THREADS
//
// FILE is mapped and shared: struct shared below, which the tests read and write.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct shared {
    uint64_t beats;          // moves on while the main thread runs
    uint64_t thread_beats;   // moves on while the other threads run
    uint64_t trigger;        // set by the test: how many calls of rarely() it wants
    uint64_t rare_calls;     // calls of rarely() that have returned
    uint64_t rarely_address; // where its code is
    uint64_t threads_ready;
    uint64_t pid;
};

static volatile struct shared *shared;
volatile uint64_t rare_value;

__attribute__((noinline)) void rarely(void)
{
    rare_value++;
}

static void *worker(void *unused)
{
    (void)unused;
    __atomic_add_fetch(&shared->threads_ready, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        __atomic_add_fetch(&shared->thread_beats, 1, __ATOMIC_SEQ_CST);
        usleep(10000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int file = open(argv[1], O_RDWR);
    if (file < 0)
        return 2;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED)
        return 2;
    shared->pid = getpid();
    shared->rarely_address = (uint64_t)(uintptr_t)rarely;
    for (int i = atoi(argv[2]); i > 0; i--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, NULL))
            return 2;
    }
    for (;;) {
        shared->beats++;
        if (shared->rare_calls < shared->trigger) {
            rarely();
            shared->rare_calls++;
        }
        usleep(1000);
    }
}
