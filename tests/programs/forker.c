// Forks once; the child exits with status 5, the parent with 2 more when it has waited for it.
#include <sys/wait.h>
#include <unistd.h>

int in_child(void)
{
    return 5;
}

int in_parent(int child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) + 2;
}

int main(void)
{
    int child = fork();
    return child == 0 ? in_child() : in_parent(child);
}
