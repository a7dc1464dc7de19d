// A program small enough to be followed line by line; exits with status 3.
#include <stdio.h>

int watched;

int square(int x)
{
    int result = x * x;
    return result;
}

int outer(int x)
{
    int inner = square(x);
    return inner + 1;
}

int main(void)
{
    watched = 1;
    watched = outer(6);
    printf("watched is %d\n", watched);
    return watched == 37 ? 3 : 4;
}
