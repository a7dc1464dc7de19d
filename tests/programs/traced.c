// Counts in a function that tracepoints look into.

#include <stdio.h>

struct point {
    int x;
    int y;
};

int total;
struct point place = {3, 4};
const char *greeting = "good day";

int add(int turn, const char *name)
{
    int twice = 2 * turn;
    total += twice;
    place.x = turn;
    return name ? twice : 0;
}

void done(void)
{
}

int main(void)
{
    for (int turn = 1; turn <= 10; turn++)
        add(turn, greeting);
    done();
    printf("total %d\n", total);
    return 0;
}
