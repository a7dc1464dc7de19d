// Fills 16 MiB with a pattern, lets the debugger see and change them, and writes what is there afterwards to FILE.
#include <stdint.h>
#include <stdio.h>

#define SIZE (16 << 20)

unsigned char block[SIZE];

void filled(void)
{
}

int main(int argc, char **argv)
{
    uint32_t state = 1;
    for (long i = 0; i < SIZE; i++) {
        state = state * 1664525 + 1013904223;
        block[i] = state >> 24;
    }
    filled();
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (!file || fwrite(block, 1, SIZE, file) != SIZE || fclose(file))
        return 1;
    return 0;
}
