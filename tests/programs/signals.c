// signals handled: raises SIGUSR1 and exits with the number of times its handler ran.
// signals fault:   writes to address 0.
#include <signal.h>
#include <string.h>

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void fault(void)
{
    volatile int *nowhere = 0;
    *nowhere = 1;
}

int main(int argc, char **argv)
{
    signal(SIGUSR1, handler);
    if (argc > 1 && strcmp(argv[1], "fault") == 0)
        fault();
    raise(SIGUSR1);
    return handled;
}
