//! One debug session: the front starts it in a process of its own, the worker runs it.
