/* The program of README.md's first session: adds 1, 2, 3, … for ever, one number per second. */
#include <stdio.h>
#include <unistd.h>

static long sum;

static void add(int n)
{
    sum += n;
}

int main(void)
{
    for (int i = 1;; i++) {
        add(i);
        dprintf(STDOUT_FILENO, "%d: %ld\n", i, sum);
        sleep(1);
    }
}
