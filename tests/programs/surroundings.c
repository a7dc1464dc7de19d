// surroundings FILE ...: writes what it was started with to FILE, one fact a line.
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (!file)
        return 2;
    char directory[4096] = "?";
    if (!getcwd(directory, sizeof directory))
        return 2;
    const char *variable = getenv("DBGSRV_TEST_VARIABLE");
    fprintf(file, "variable %s\n", variable ? variable : "(unset)");
    // Cargo sets this one for the tests, so the server has it.
    fprintf(file, "cargo's variable %s\n", getenv("CARGO_MANIFEST_DIR") ? "set" : "(unset)");
    fprintf(file, "directory %s\n", directory);
    fprintf(file, "randomized %s\n", personality(0xffffffff) & ADDR_NO_RANDOMIZE ? "no" : "yes");
    for (int i = 2; i < argc; i++)
        fprintf(file, "argument %s\n", argv[i]);
    return fclose(file) ? 2 : 0;
}
