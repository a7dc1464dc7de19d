// prologues [faults]: executes the instructions that functions begin with, turn after turn with the same registers.
// "faults": pushes to where the program may not write.
#include <sys/mman.h>

void turns(void);
void faults(void *stack);
__asm__(".text\n.globl turns, first, last, faults, faulting\n"
        "turns:\n"
        "mov $1, %eax\nmov $2, %ecx\nmov $3, %edx\nmov $4, %ebx\nmov $5, %ebp\nmov $6, %esi\nmov $7, %edi\n"
        "first: endbr64\n"
        "nop\n"
        "push %rax\npush %rcx\npush %rdx\npush %rbx\npush %rsp\npush %rbp\npush %rsi\npush %rdi\n"
        "mov %rsp, %rbp\n"
        "last: lea 64(%rsp), %rsp\n"
        "jmp turns\n"
        "faults: mov %rdi, %rsp\n"
        "faulting: push %rax\n"
        "ret\n");

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        char *stack = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED)
            return 3;
        faults(stack + 4096);
    }
    turns();
}
