// Loops to be stepped through and counted in.

// Two instructions a turn, so that the number of single steps can be read from the counter register.
void spin(void)
{
    __asm__ volatile("mov $2000, %%ecx\n"
                     ".globl spin_loop\n"
                     "spin_loop: dec %%ecx\n"
                     "jnz spin_loop\n"
                     ::: "ecx", "cc");
}

int total;

void visit(int turn)
{
    total += turn;
}

int main(void)
{
    spin();
    for (int turn = 0; turn < 1000; turn++)
        visit(turn);
    return total == 499500 ? 0 : 1;
}
