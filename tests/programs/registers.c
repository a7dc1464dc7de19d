// registers WIDTH FILE: loads known bytes into registers, stops for the debugger at registers_loaded, and writes what the
// registers hold then to FILE. WIDTH is general (rbx, r12), xmm, ymm or zmm (with mask registers).
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint8_t in[128] __attribute__((aligned(64)));
static uint8_t out[128] __attribute__((aligned(64)));

// Each variant has a label of its own: the assembler may not see one twice.
static void general(void)
{
    __asm__ volatile("mov (%0), %%rbx\n mov 8(%0), %%r12\n"
                     ".globl general_loaded\n general_loaded: nop\n"
                     "mov %%rbx, (%1)\n mov %%r12, 8(%1)\n"
                     :: "r"(in), "r"(out) : "rbx", "r12", "memory");
}

static void xmm(void)
{
    __asm__ volatile("movdqa (%0), %%xmm1\n movdqa 16(%0), %%xmm15\n"
                     ".globl xmm_loaded\n xmm_loaded: nop\n"
                     "movdqa %%xmm1, (%1)\n movdqa %%xmm15, 16(%1)\n"
                     :: "r"(in), "r"(out) : "xmm1", "xmm15", "memory");
}

static void ymm(void)
{
    __asm__ volatile("vmovdqu (%0), %%ymm1\n vmovdqu 32(%0), %%ymm15\n"
                     ".globl ymm_loaded\n ymm_loaded: nop\n"
                     "vmovdqu %%ymm1, (%1)\n vmovdqu %%ymm15, 32(%1)\n"
                     :: "r"(in), "r"(out) : "xmm1", "xmm15", "memory");
}

static void zmm(void)
{
    __asm__ volatile("vmovdqu64 (%0), %%zmm1\n vmovdqu64 (%0), %%zmm31\n kmovw 64(%0), %%k1\n"
                     ".globl zmm_loaded\n zmm_loaded: nop\n"
                     "vmovdqu64 %%zmm1, (%1)\n kmovw %%k1, 64(%1)\n vmovdqu %%ymm1, %%ymm1\n"
                     "vextracti64x4 $1, %%zmm31, 66(%1)\n"
                     :: "r"(in), "r"(out) : "xmm1", "memory");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (unsigned i = 0; i < sizeof in; i++)
        in[i] = i + 1;
    if (strcmp(argv[1], "general") == 0)
        general();
    else if (strcmp(argv[1], "xmm") == 0)
        xmm();
    else if (strcmp(argv[1], "ymm") == 0)
        ymm();
    else if (strcmp(argv[1], "zmm") == 0)
        zmm();
    else
        return 2;
    FILE *file = fopen(argv[2], "wb");
    if (!file || fwrite(out, 1, sizeof out, file) != sizeof out || fclose(file))
        return 2;
    return 0;
}
