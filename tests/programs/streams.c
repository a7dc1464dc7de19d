// streams MODE: uses its standard streams; exits with status 3.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(mode, "both")) {
        printf("this is stdout\n");
        fprintf(stderr, "this is stderr\n");
    } else if (!strcmp(mode, "many")) {
        for (int line = 0; line < 20000; line++)
            printf("line %05d\n", line);
    } else if (!strcmp(mode, "endless")) {
        for (;;)
            printf("again and again\n");
    } else if (!strcmp(mode, "read")) {
        char line[64];
        if (fgets(line, sizeof line, stdin))
            printf("read <%.*s>\n", (int)strcspn(line, "\n"), line);
        else
            printf("nothing to read\n");
    } else if (!strcmp(mode, "leave")) {
        // Keeps the streams open for a long time after the program has ended.
        pid_t child = fork();
        if (child == 0) {
            sleep(600);
            _exit(0);
        }
        printf("left %d\n", (int)child);
    }
    return 3;
}
